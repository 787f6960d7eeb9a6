import { resolve } from 'node:path';
import { z } from 'zod';
import { ConfigError, readConfig } from '../src/config.ts';

/** What the embedded world needs to know; the variables are those of the README. */
export interface DevConfig {
  /** Absolute. */
  readonly dataDir: string;
  readonly apiPort: number;
  readonly temporalPort: number;
  readonly temporalUiPort: number;
  readonly sqsPort: number;
  readonly simulatorPort: number;
  /** Given: a Temporal of the user's own; the embedded one is not started. */
  readonly temporalAddress: string | undefined;
  readonly databaseUrl: string | undefined;
  /** The variable that names a real SQS; undefined: the embedded one. */
  readonly realSqs: string | undefined;
  readonly embeddedSimulator: boolean;
  /** As given; undefined: the keys of DATA_DIR. */
  readonly operatorKeys: string | undefined;
  readonly secretKeys: string | undefined;
  readonly publicUrl: string;
  /** Host:port list of Gladly hosts for development, the simulator's not among them. */
  readonly gladlyExtraHosts: string;
}

/** Any of them means a real SQS; the last two, with what else the AWS SDK finds, an account of AWS. */
const REAL_SQS = ['SQS_ENDPOINT', 'AWS_ENDPOINT_URL_SQS', 'AWS_ACCESS_KEY_ID', 'AWS_PROFILE'] as const;

/** All that is wrong with the environment, one line for each variable. */
export class DevConfigError extends Error {
  override readonly name = 'DevConfigError';
}

const port = (standard: number) => z.coerce.number().int().min(1).max(65_535).default(standard);
const text = z.string().trim().min(1);

const variables = z.object({
  DATA_DIR: text.default('.data'),
  API_PORT: port(3000),
  TEMPORAL_PORT: port(7233),
  TEMPORAL_UI_PORT: port(8233),
  SQS_PORT: port(4566),
  SIMULATOR_PORT: port(3900),
  // What the product checks itself is only looked at for being there.
  TEMPORAL_ADDRESS: text.optional(),
  DATABASE_URL: text.optional(),
  SQS_ENDPOINT: text.optional(),
  AWS_ENDPOINT_URL_SQS: text.optional(),
  AWS_ACCESS_KEY_ID: text.optional(),
  AWS_PROFILE: text.optional(),
  SIMULATOR: z.enum(['on', 'off']).default('on'),
  OPERATOR_KEYS: text.optional(),
  SECRET_KEYS: text.optional(),
  PUBLIC_URL: text.optional(),
  GLADLY_EXTRA_HOSTS: z.string().default(''),
});

/** What the embedded world gives to API and worker where the environment gives nothing. */
const GIVEN_LATER = {
  DATABASE_URL: 'postgres://embedded',
  TEMPORAL_ADDRESS: 'embedded:7233',
  OPERATOR_KEYS: 'embedded'.repeat(4),
  SECRET_KEYS: `embedded:${Buffer.alloc(32).toString('base64')}`,
};

/** Throws DevConfigError, which names every bad variable, API's and worker's among them. An empty variable counts as unset. */
export function readDevConfig(env: NodeJS.ProcessEnv): DevConfig {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const read = variables.safeParse(given);
  const own = read.success ? [] : read.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  const wrong = new Map([...productIssues(given), ...own].map((line) => [line.split(':')[0], line]));
  if (!read.success || wrong.size > 0) throw new DevConfigError([...wrong.values()].join('\n'));
  const v = read.data;
  return {
    dataDir: resolve(v.DATA_DIR),
    apiPort: v.API_PORT,
    temporalPort: v.TEMPORAL_PORT,
    temporalUiPort: v.TEMPORAL_UI_PORT,
    sqsPort: v.SQS_PORT,
    simulatorPort: v.SIMULATOR_PORT,
    temporalAddress: v.TEMPORAL_ADDRESS,
    databaseUrl: v.DATABASE_URL,
    realSqs: REAL_SQS.find((name) => v[name] !== undefined),
    embeddedSimulator: v.SIMULATOR === 'on',
    operatorKeys: v.OPERATOR_KEYS,
    secretKeys: v.SECRET_KEYS,
    publicUrl: v.PUBLIC_URL ?? `http://127.0.0.1:${v.API_PORT}`,
    gladlyExtraHosts: v.GLADLY_EXTRA_HOSTS,
  };
}

function productIssues(given: NodeJS.ProcessEnv): readonly string[] {
  try {
    readConfig({ ...GIVEN_LATER, ...given }, 'api');
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
}
