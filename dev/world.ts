import { join } from 'node:path';
import type { DevConfig } from './dev-config.ts';
import { type DevKeys, postgresPassword } from './keys.ts';
import type { PartSpec } from './part.ts';
import { answers, type WantedPort } from './ports.ts';

/** What is known only while the world comes up. */
export interface WorldFacts {
  /** The product's program: `PRODUCT api`, `PRODUCT worker`. */
  readonly product: string;
  /** The simulator's program, and its arguments. */
  readonly simulator: readonly string[];
  readonly keys: DevKeys;
  /** The Temporal CLI's path; asked when the server is started. */
  readonly temporalCli: () => string;
  /** The port that the embedded Postgres has told, 0 before it has. */
  readonly postgresPort: () => number;
}

export type PartName = 'temporal-keeper' | 'sqs' | 'postgres' | 'simulator' | 'api' | 'worker';

/** Worker and API finish what they hold; all stages together stay under the 5 s that Ctrl-C may take. */
const PRODUCT_STOP_MS = 2_500;
const SIMULATOR_STOP_MS = 500;
const STATE_STOP_MS = 1_700;

const HEALTH_TIMEOUT_MS = 1_000;

/** The parts of this world by name; what the environment replaces is not among them. */
export function worldParts(config: DevConfig, facts: WorldFacts): Readonly<Partial<Record<PartName, PartSpec>>> {
  const programs = join(import.meta.dirname, 'parts');
  const folder = (name: string): string => join(config.dataDir, name);
  const nothing = (): Readonly<Record<string, string>> => ({});
  const product = (
    name: PartName,
    isReady: Pick<PartSpec, 'isReady'>,
    stopMs: number,
    command: readonly string[] = [facts.product, name],
  ): PartSpec => ({
    name,
    command: () => command,
    env: () => productEnv(config, facts),
    stopMs,
    ...isReady,
  });
  return {
    ...(config.temporalAddress === undefined && {
      'temporal-keeper': {
        name: 'temporal-keeper',
        command: () => [
          join(programs, 'temporal.ts'),
          ...[folder('temporal'), String(config.temporalPort), String(config.temporalUiPort), config.dataDir],
          facts.temporalCli(),
          `http://127.0.0.1:${config.apiPort}`,
        ],
        env: nothing,
        isReady: () => isHealthy(`http://127.0.0.1:${config.temporalUiPort}/api/v1/namespaces/default`),
        stopMs: STATE_STOP_MS,
        offspring: ['temporal'],
      },
    }),
    ...(config.realSqs === undefined && {
      sqs: {
        name: 'sqs',
        command: () => [join(programs, 'sqs.ts'), folder('sqs'), String(config.sqsPort)],
        env: nothing,
        stopMs: STATE_STOP_MS,
      },
    }),
    ...(config.databaseUrl === undefined && {
      postgres: {
        name: 'postgres',
        command: () => [join(programs, 'postgres.ts'), folder('postgres'), String(facts.postgresPort())],
        env: () => ({ POSTGRES_PASSWORD: postgresPassword(facts.keys) }),
        stopMs: STATE_STOP_MS,
      },
    }),
    ...(config.embeddedSimulator && {
      simulator: product(
        'simulator',
        { isReady: () => answers(config.simulatorPort) },
        SIMULATOR_STOP_MS,
        facts.simulator,
      ),
    }),
    api: product(
      'api',
      { isReady: () => isHealthy(`http://127.0.0.1:${config.apiPort}/health/ready`) },
      PRODUCT_STOP_MS,
    ),
    worker: product('worker', {}, PRODUCT_STOP_MS),
  };
}

/** With its password. */
export const embeddedPostgresUrl = (keys: DevKeys, port: number): string =>
  `postgres://postgres:${postgresPassword(keys)}@127.0.0.1:${port}/postgres`;

/** The ports that this world listens on, all but Postgres', which takes a free one. */
export function wantedPorts(config: DevConfig): readonly WantedPort[] {
  return [
    { port: config.apiPort, variable: 'API_PORT', what: 'the API' },
    ...(config.temporalAddress === undefined
      ? [
          { port: config.temporalPort, variable: 'TEMPORAL_PORT', what: 'Temporal' },
          { port: config.temporalUiPort, variable: 'TEMPORAL_UI_PORT', what: 'Temporal UI' },
        ]
      : []),
    ...(config.realSqs === undefined ? [{ port: config.sqsPort, variable: 'SQS_PORT', what: 'SQS' }] : []),
    ...(config.embeddedSimulator
      ? [{ port: config.simulatorPort, variable: 'SIMULATOR_PORT', what: 'the simulated Gladly' }]
      : []),
  ];
}

/** The addresses and keys that API, worker and simulator work with. */
function productEnv(config: DevConfig, facts: WorldFacts): Readonly<Record<string, string>> {
  const simulatorHosts = [`127.0.0.1:${config.simulatorPort}`, `localhost:${config.simulatorPort}`];
  const gladlyHosts = [config.gladlyExtraHosts, ...(config.embeddedSimulator ? simulatorHosts : [])];
  return {
    DATA_DIR: config.dataDir,
    API_PORT: String(config.apiPort),
    SIMULATOR_PORT: String(config.simulatorPort),
    PUBLIC_URL: config.publicUrl,
    // Ctrl-C ends it all within 5 s, and a receive that was given up holds back what comes meanwhile.
    WORKER_GRACE_MS: process.env['WORKER_GRACE_MS'] ?? '1000',
    RECEIVE_WAIT_SECONDS: process.env['RECEIVE_WAIT_SECONDS'] ?? '2',
    // PGlite has no autovacuum.
    VACUUM: String(config.databaseUrl === undefined),
    GLADLY_EXTRA_HOSTS: gladlyHosts.filter((host) => host !== '').join(','),
    OPERATOR_KEYS: config.operatorKeys ?? facts.keys.operatorKey,
    SECRET_KEYS: config.secretKeys ?? facts.keys.secretKeys,
    TEMPORAL_ADDRESS: config.temporalAddress ?? `127.0.0.1:${config.temporalPort}`,
    DATABASE_URL: config.databaseUrl ?? embeddedPostgresUrl(facts.keys, facts.postgresPort()),
    ...(config.temporalAddress === undefined && { TEMPORAL_UI_URL: `http://127.0.0.1:${config.temporalUiPort}` }),
    ...(config.realSqs === undefined && {
      SQS_ENDPOINT: `http://127.0.0.1:${config.sqsPort}`,
      // The embedded SQS asks for none, the AWS SDK will not speak without.
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'embedded',
      AWS_SECRET_ACCESS_KEY: 'embedded',
    }),
  };
}

async function isHealthy(url: string): Promise<boolean> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) });
  await answer.body?.cancel();
  return answer.ok;
}
