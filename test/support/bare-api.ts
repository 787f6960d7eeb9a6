import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { inject } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { startApi } from '../../src/roles/api.ts';
import type { Db } from '../../src/store/db.ts';
import { getTenant } from '../../src/store/tenants.ts';
import { connectLinks, LINK_LIFE_MS } from '../../src/tenants/connect-links.ts';
import { OPERATOR_KEYS } from './browser/operator.ts';
import { freePort } from './free-port.ts';
import { openStore, postgresKinds } from './store/database.ts';

/** API processes with a Postgres: no worker is there, and no SQS. Pages, links, sessions and limits need no more. */
export interface BareApi {
  readonly db: Db;
  readonly url: string;
  readonly port: number;
  /** What the API has logged, a line each. */
  readonly log: string[];
  /** Another API process with the same settings and database. */
  another(): Promise<{ readonly url: string; stop(): Promise<void> }>;
  /** A link to the connect page of a tenant that is in the database. */
  connectUrl(tenantId: string): Promise<string>;
  close(): Promise<void>;
}

export async function startBareApi(env: Readonly<Record<string, string>> = {}): Promise<BareApi> {
  const [postgres] = postgresKinds;
  if (!postgres) throw new Error('There is no Postgres to test against.');
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
  const store = await openStore(postgres);
  const log: string[] = [];
  const lines = new Writable({
    write: (chunk, _, written) => {
      log.push(String(chunk));
      written();
    },
  });
  const secretKey = { id: 'k1', key: randomBytes(32).toString('base64') };
  const start = async () => {
    const port = await freePort();
    const config = readConfig(
      {
        API_PORT: String(port),
        OPERATOR_KEYS,
        SECRET_KEYS: `${secretKey.id}:${secretKey.key}`,
        DATABASE_URL: store.url,
        TEMPORAL_ADDRESS: inject('temporalAddress'),
        SQS_ENDPOINT: 'http://127.0.0.1:1',
        ...env,
      },
      'api',
    );
    const api = await startApi(config, pino({ level: 'debug' }, lines));
    const stop = async (): Promise<void> => {
      api.stop();
      await api.ended;
    };
    return { port, url: `http://127.0.0.1:${port}`, stop };
  };
  const first = await start();
  const links = connectLinks([secretKey]);
  return {
    db: store.db,
    ...first,
    log,
    another: start,
    async connectUrl(tenantId) {
      const tenant = await getTenant(store.db, tenantId);
      if (tenant === null) throw new Error(`There is no ${tenantId}.`);
      const { incarnation, connectLinkEpoch: epoch } = tenant;
      const token = links.sign({ tenantId, incarnation, epoch, expiresAt: Date.now() + LINK_LIFE_MS });
      return `${first.url}/connect/${token}`;
    },
    async close() {
      await first.stop();
      await store.close();
    },
  };
}

/** Signs in to the console; answers the cookie, as a browser sends it back. */
export async function signedIn(url: string, key: string): Promise<string> {
  const answer = await postForm(`${url}/console/sign-in`, { key });
  return answer.headers.get('set-cookie')?.split(';')[0] ?? '';
}

/** A form that was sent from the page of that origin. */
export const postForm = (
  url: string,
  fields: Readonly<Record<string, string>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    body: new URLSearchParams(fields),
    headers: { origin: new URL(url).origin, ...headers },
    redirect: 'manual',
  });
