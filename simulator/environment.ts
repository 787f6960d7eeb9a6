import { z } from 'zod';
import { createLogger } from '../src/telemetry/log.ts';
import { type Simulator, startSimulator } from './simulator.ts';

/** Variables that cannot be used; the message names each of them. */
export class SimulatorEnvironmentError extends Error {
  override readonly name = 'SimulatorEnvironmentError';
}

const number = (fallback: number, least: number, most: number) =>
  z
    .string()
    .regex(/^\d+(\.\d+)?$/, 'must be a number')
    .transform(Number)
    .refine((value) => value >= least && value <= most, `must be from ${least} to ${most}`)
    .default(fallback);

const whole = (fallback: number, least: number, most: number) =>
  number(fallback, least, most).refine(Number.isInteger, 'must be a whole number');

const environmentSchema = z.object({
  SIMULATOR_HOST: z.string().default('127.0.0.1'),
  SIMULATOR_PORT: whole(3900, 0, 65_535),
  DATA_DIR: z.string().default('.data'),
  SIMULATOR_SEED: z.string().default('gladly'),
  SIMULATOR_CLOCK_FACTOR: number(1, 0.001, 1_000_000),
  /** Changes per second: one every three seconds, so that there is something to watch. */
  SIMULATOR_RATE: number(1 / 3, 0, 1000),
  SIMULATOR_CUSTOMERS: whole(40, 1, 100_000),
  SIMULATOR_CONVERSATIONS: whole(30, 0, 10_000),
  SIMULATOR_QUOTA: whole(10, 1, 1_000_000),
  SIMULATOR_READ_LAG_MS: whole(0, 0, 600_000),
  /** What GET /organization names; the simulator's own URL when unset. */
  SIMULATOR_GLADLY_URL: z.url('must be a URL').optional(),
  SIMULATOR_ADMIN_EMAIL: z.email('must be an address').optional(),
  /** Gladly takes HTTPS only. On one machine there is no certificate, so plain HTTP is the default here. */
  SIMULATOR_ALLOW_HTTP: z.enum(['true', 'false'], 'must be true or false').default('true'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'must be a level of pino')
    .default('info'),
});

/** What is wrong with the simulator's variables, one line for each; empty when all is well. An empty variable counts as unset. */
export function simulatorComplaints(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const result = environmentSchema.safeParse(givenIn(env));
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

const givenIn = (env: Readonly<Record<string, string | undefined>>) =>
  Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));

/**
 * Starts the simulator as a process of its own, from variables of the environment; an empty one counts as unset.
 * @throws SimulatorEnvironmentError naming every variable that cannot be used.
 */
export async function runSimulator(env: Readonly<Record<string, string | undefined>>): Promise<Simulator> {
  const complaints = simulatorComplaints(env);
  if (complaints.length > 0) {
    const lines = complaints.map((line) => `  ${line}`);
    throw new SimulatorEnvironmentError(`The simulator cannot start with these variables:\n${lines.join('\n')}`);
  }
  const variables = environmentSchema.parse(givenIn(env));
  const log = createLogger('simulator', variables.LOG_LEVEL);
  const simulator = await startSimulator({
    host: variables.SIMULATOR_HOST,
    port: variables.SIMULATOR_PORT,
    dataDir: variables.DATA_DIR,
    seed: variables.SIMULATOR_SEED,
    clockFactor: variables.SIMULATOR_CLOCK_FACTOR,
    rate: variables.SIMULATOR_RATE,
    customers: variables.SIMULATOR_CUSTOMERS,
    conversations: variables.SIMULATOR_CONVERSATIONS,
    quotaPerSecond: variables.SIMULATOR_QUOTA,
    readLagMs: variables.SIMULATOR_READ_LAG_MS,
    ...(variables.SIMULATOR_GLADLY_URL === undefined ? {} : { gladlyUrl: variables.SIMULATOR_GLADLY_URL }),
    ...(variables.SIMULATOR_ADMIN_EMAIL === undefined ? {} : { adminEmail: variables.SIMULATOR_ADMIN_EMAIL }),
    allowHttpWebhooks: variables.SIMULATOR_ALLOW_HTTP === 'true',
    log,
  });
  log.info({ url: simulator.url, changesPerSecond: variables.SIMULATOR_RATE }, 'simulated Gladly is up');
  return simulator;
}
