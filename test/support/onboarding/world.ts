import { randomBytes } from 'node:crypto';
import type { LookupFunction } from 'node:net';
import { Writable } from 'node:stream';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { startFauxqs } from 'fauxqs';
import { pino } from 'pino';
import { readConfig } from '../../../src/config.ts';
import { startApi } from '../../../src/roles/api.ts';
import type { Db } from '../../../src/store/db.ts';
import { freePort } from '../free-port.ts';
import { openStore, postgresKinds } from '../store/database.ts';
import { createTestEnvironment } from '../temporal.ts';
import { call } from './gladly.ts';
import { startTestWorker } from './worker.ts';

/** Everything that onboarding is made of, in this process: API over HTTP, workers, Postgres, SQS, and the run's Temporal. */
export interface World {
  readonly env: TestWorkflowEnvironment;
  readonly db: Db;
  /** Where the API listens. */
  readonly url: string;
  /** What a process of ours needs to be part of it. */
  readonly variables: Readonly<Record<string, string>>;
  readonly sqsEndpoint: string;
  /** Every line that API and worker have logged. */
  readonly log: string[];
  /** Calls our API as an operator. Throws when the answer is no 2XX. */
  api(method: string, path: string, body?: unknown): Promise<unknown>;
  close(): Promise<void>;
}

export interface WorldOptions {
  /** Where Gladly may be besides its own hosts. */
  readonly gladlyHosts: readonly string[];
  /** How the worker resolves names. */
  readonly lookup?: LookupFunction;
  readonly env?: Readonly<Record<string, string>>;
  /** False: the test runs worker processes of its own. */
  readonly worker?: boolean;
  /** Another Temporal than the run's. */
  readonly temporal?: TestWorkflowEnvironment;
}

// Minutes become moments; the shape stays.
const QUICK = {
  ONBOARDING_RETRY_MS: '100',
  ONBOARDING_RETRY_MAX_MS: '400',
  ONBOARDING_RECHECK_MS: '600000',
  PROOF_LOOK_MS: '600000',
  DRAIN_BUDGET_MS: '5000',
  PARK_AFTER_MS: '1000',
};

export async function startWorld(options: WorldOptions): Promise<World> {
  const [postgres] = postgresKinds;
  if (!postgres) throw new Error('There is no Postgres to test against.');
  const [env, store, sqs, port] = await Promise.all([
    options.temporal ?? createTestEnvironment(),
    openStore(postgres),
    startFauxqs({ port: 0, logger: false }),
    freePort(),
  ]);
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
  const operatorKey = randomBytes(24).toString('base64url');
  const url = `http://127.0.0.1:${port}`;
  const variables = {
    ...QUICK,
    API_PORT: String(port),
    PUBLIC_URL: url,
    OPERATOR_KEYS: `tests:${operatorKey}`,
    SECRET_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    DATABASE_URL: store.url,
    TEMPORAL_ADDRESS: env.address,
    TEMPORAL_NAMESPACE: env.namespace ?? 'default',
    SQS_ENDPOINT: sqs.address,
    GLADLY_EXTRA_HOSTS: options.gladlyHosts.join(','),
    ...options.env,
  };
  const config = readConfig(variables, 'api');
  const log: string[] = [];
  const lines = new Writable({
    write: (chunk, _, written) => {
      log.push(String(chunk));
      written();
    },
  });
  const logger = pino({ level: 'debug' }, lines);
  const api = await startApi(config, logger);
  const worker =
    options.worker === false
      ? null
      : await startTestWorker({ env, config, db: store.db, lookup: options.lookup, logger });
  return {
    env,
    db: store.db,
    url,
    variables,
    sqsEndpoint: sqs.address,
    log,
    api: (method, path, body) => call(`${url}${path}`, method, body, { authorization: `Bearer ${operatorKey}` }),
    close: async () => {
      await worker?.stop();
      api.stop();
      await api.ended;
      await sqs.stop();
      await store.close();
      await env.teardown();
    },
  };
}
