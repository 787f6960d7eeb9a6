import { z } from 'zod';

/**
 * The environment, read once at start. Every part reads the same variables and takes what it needs. Times in milliseconds.
 * The embedded world (src/dev) sets most of these by itself.
 */
const port = (standard: number) => z.coerce.number().int().min(0).max(65_535).default(standard);
const atLeast = (least: number) => (standard: number) => z.coerce.number().int().min(least).default(standard);
const ms = atLeast(0);
const count = (standard: number) => z.coerce.number().int().min(1).default(standard);
const text = z.string().trim().min(1);

const operatorKey = z
  .string()
  .regex(
    /^(?:(?<name>[\w.@-]+):)?(?:(?<role>operator|viewer):)?(?<key>[\w-]{32,})$/,
    'each must be KEY, name:KEY or name:viewer:KEY, the key of 32 characters or more (letters, digits, - and _)',
  )
  .transform((entry) => {
    const [key = '', ...before] = entry.split(':').reverse();
    const role = before.find((word) => word === 'viewer') ? ('viewer' as const) : ('operator' as const);
    return { key, role, name: before.find((word) => word !== 'viewer' && word !== 'operator') ?? 'operator' };
  });

const secretKey = z
  .string()
  .regex(/^[\w-]+:[A-Za-z0-9+/]{43}=$/, 'each must be ID:KEY, the key 32 bytes in base64')
  .transform((entry) => ({ id: entry.slice(0, entry.indexOf(':')), key: entry.slice(entry.indexOf(':') + 1) }));

const list = <T extends z.ZodType<unknown, string>>(of: T) =>
  z
    .string()
    .transform((all) =>
      all
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== ''),
    )
    .pipe(z.array(of));

const variables = z.object({
  API_PORT: port(3000),
  API_HOST: text.default('127.0.0.1'),
  /** Several API processes share the port, to be restarted in turn. Linux; see docs/decisions/0007-two-processes-one-port.md. */
  API_REUSE_PORT: z.stringbool().default(false),
  /** Where Gladly and browsers reach the API; webhook URLs begin with it. */
  PUBLIC_URL: z.url().optional(),
  OPERATOR_KEYS: list(operatorKey)
    .refine((keys) => keys.some(({ role }) => role === 'operator'), 'must name one key at least that is no viewer’s')
    .optional(),
  SECRET_KEYS: list(secretKey)
    .refine((keys) => keys.length > 0, 'must name one key at least')
    .optional(),
  DATABASE_URL: text.regex(/^postgres(ql)?:\/\//, 'must begin with postgres://'),
  TEMPORAL_ADDRESS: text.regex(/^[^\s/]+:\d+$/, 'must be host:port'),
  TEMPORAL_NAMESPACE: text.default('default'),
  TEMPORAL_UI_URL: z.url().optional(),
  SQS_ENDPOINT: z.url().optional(),
  AWS_REGION: text.default('us-east-1'),
  QUEUE_PREFIX: text.regex(/^[\w-]{1,30}$/, 'letters, digits, - and _, 30 at most').default('idiomatic-gladly-'),
  GLADLY_EXTRA_HOSTS: list(text).default([]),
  /** Balancers of ours in front of the API: the sender's address is then read from X-Forwarded-For. */
  PROXIES: z.coerce.number().int().min(0).max(10).default(0),
  /** A connection without a request is closed after this: longer than what stands in front keeps one (docs/deploy.md). */
  KEEP_ALIVE_MS: atLeast(1_000)(620_000),
  /** From the first byte of a request to the last of its headers. */
  HEADERS_TIMEOUT_MS: atLeast(1_000)(5_000),
  /** After SIGTERM the API goes on accepting this long, for a balancer to see that it is not ready any more. */
  SHUTDOWN_DELAY_MS: ms(0),
  /** Then requests under way have this long. The embedded world gives the API 2.5 s in all. */
  SHUTDOWN_GRACE_MS: ms(1_500),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),

  // Onboarding: retryable problems are retried after 1 s, with backoff up to 5 min; what needs a person is checked again every 15 min.
  ONBOARDING_RETRY_MS: ms(1_000),
  ONBOARDING_RETRY_MAX_MS: ms(300_000),
  ONBOARDING_RECHECK_MS: ms(900_000),
  PROOF_LOOK_MS: ms(60_000),
  /** A step that a person leaves undone for so long is reminded of: 3 days. */
  ONBOARDING_OVERDUE_MS: ms(3 * 86_400_000),

  // Extraction.
  /** The sweep finds lost wake signals; this is the fallback when it does not run. A look writes 11 history events (`npm run bench -- idle`). */
  PARKED_LOOK_MS: ms(12 * 3_600_000),
  GLADLY_WAIT_MS: ms(5_000),
  GLADLY_WAIT_MAX_MS: ms(60_000),
  ATTENTION_LOOK_MS: ms(900_000),
  /** Temporal itself suggests 4,096 history events. */
  CONTINUE_AS_NEW_AFTER: count(2_000),
  /** A drain ends after this long, and another one follows: a workflow begins a new history only between two. Temporal would end it after 75 minutes. */
  DRAIN_BUDGET_MS: z.coerce.number().int().min(0).max(3_600_000).default(3_600_000),
  /** The same while nine tenths of DRAIN_SLOTS are taken by drains that all have something to do: then a tenant that was just woken waits for one of them. */
  DRAIN_CROWDED_BUDGET_MS: ms(15_000),
  /** The longest that a tenant without events stays awake; one whose events come further apart is put to sleep after a tenth of it. */
  PARK_AFTER_MS: ms(600_000),
  /** How long a receive waits for a message; SQS allows 20 s. */
  RECEIVE_WAIT_SECONDS: z.coerce.number().int().min(1).max(20).default(20),
  /** After SIGTERM a worker's readings of Gladly have this long to end; it is gone a second later, at the latest. */
  WORKER_GRACE_MS: ms(20_000),
  SETTLE_MS: ms(1_000),
  SETTLE_MAX_MS: ms(10_000),
  /** What an event names, and Gladly does not have, is gone after so long. */
  MISSING_PATIENCE_MS: ms(900_000),
  QUOTA_SHARE: z.coerce.number().gt(0).max(1).default(0.7),
  /** Asks Gladly as fast as it answers. For the simulated one only: it shows what else would be the limit. */
  QUOTA_UNLIMITED: z.stringbool().default(false),
  /** How often all tenants are checked for lost wake signals and for events about to expire. */
  SWEEP_MS: ms(300_000),
  /** Events that are done are kept this long: longer than SQS keeps messages (14 days). */
  LEDGER_KEEP_DAYS: count(30),
  /** For a Postgres without autovacuum; the embedded world sets it. */
  VACUUM: z.enum(['true', 'false']).default('false'),
  /** A bundle of the workflows that was made beforehand (src/temporal/bundle-workflows.ts), as in the image. Unset: made at each start of a worker. */
  WORKFLOW_BUNDLE: text.optional(),
  /** Tenants that are awake in one worker at the same time. */
  DRAIN_SLOTS: count(2_000),
  ONBOARDING_SLOTS: count(50),
});

export type OperatorKey = z.output<typeof operatorKey>;
export type SecretKey = z.output<typeof secretKey>;

type Variables = z.output<typeof variables>;

export interface Config extends Omit<Variables, 'OPERATOR_KEYS' | 'SECRET_KEYS' | 'PUBLIC_URL'> {
  readonly OPERATOR_KEYS: readonly OperatorKey[];
  /** The first one encrypts; all of them decrypt. */
  readonly SECRET_KEYS: readonly SecretKey[];
  readonly PUBLIC_URL: string;
}

/** All that is wrong with the environment, one line for each variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** What `part` needs from the environment: `ingest` needs no key of any kind. Throws ConfigError, which names every bad variable. An empty one counts as unset. */
export function readConfig(env: NodeJS.ProcessEnv, part: 'api' | 'ingest' | 'worker'): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const read = variables.safeParse(given);
  const wrong = read.success
    ? []
    : read.error.issues.map((issue) => `${issue.path[0]?.toString()}: ${said(issue, given)}`);
  if (part !== 'ingest' && given['SECRET_KEYS'] === undefined) wrong.push('SECRET_KEYS: missing');
  if (part === 'api' && given['OPERATOR_KEYS'] === undefined) wrong.push('OPERATOR_KEYS: missing');
  if (!read.success || wrong.length > 0) throw new ConfigError([...new Set(wrong)].join('\n'));
  const { OPERATOR_KEYS, SECRET_KEYS, PUBLIC_URL, ...rest } = read.data;
  return {
    ...rest,
    OPERATOR_KEYS: OPERATOR_KEYS ?? [],
    SECRET_KEYS: SECRET_KEYS ?? [],
    PUBLIC_URL: (PUBLIC_URL ?? `http://127.0.0.1:${rest.API_PORT}`).replace(/\/+$/, ''),
  };
}

/** Never the value itself: it may be a key. */
function said(issue: z.core.$ZodIssue, given: Record<string, unknown>): string {
  return given[String(issue.path[0])] === undefined ? 'missing' : issue.message;
}
