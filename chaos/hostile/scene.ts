import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import { World } from '../../bench/support/world.ts';
import { RealPostgres } from '../../dev/real-postgres.ts';
import { createRandom } from '../../simulator/random.ts';
import { demoCredentials, type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { type Db, openDb } from '../../src/store/db.ts';
import { Pipeline } from '../../test/support/pipeline.ts';
import { Follower } from '../follower.ts';
import { SqsDoor } from './sqs-door.ts';

/** One tenant, with a simulated Gladly of its own. */
export interface Site {
  readonly tenantId: string;
  readonly pipeline: Pipeline;
  readonly follower: Follower;
  /** Mails of third parties: ids of their items. */
  readonly thirdParty: Set<string>;
}

/** Everything that a hostile run does its trouble to. */
export interface Scene {
  readonly world: World;
  readonly sites: readonly Site[];
  readonly sqs: SqsDoor;
  readonly temporal: Client;
  readonly postgres: RealPostgres | null;
  readonly db: Db;
  /** Variables of a worker of this world, beside its own. */
  readonly workerEnv: NodeJS.ProcessEnv;
  readonly clocks: Readonly<Record<'api' | 'worker', number>>;
  end(options: { readonly keep: boolean }): Promise<void>;
}

export interface SceneOptions {
  readonly seed: string;
  readonly tenants: number;
  /** Of each simulated Gladly, requests a second. */
  readonly quota: number;
  readonly postgres: boolean;
  readonly sweepMs: number;
}

/** What waits for a person or for Gladly is looked at soon: the product's own times are minutes, and are as long as the run. */
const SOON = {
  ATTENTION_LOOK_MS: '10000',
  GLADLY_WAIT_MAX_MS: '10000',
  ONBOARDING_RETRY_MAX_MS: '10000',
  ONBOARDING_RECHECK_MS: '10000',
};
const EMBEDDED_AWS = { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'embedded', AWS_SECRET_ACCESS_KEY: 'embedded' };

/** Most that the clocks of API and worker are off, in opposite directions, in seconds. */
const CLOCK_OFF_SECONDS = { least: 20, most: 90 };

const CONNECT_MS = 120_000;

/** Starts everything, each tenant connected over HTTP to an organization of its own. */
export async function openScene(options: SceneOptions): Promise<Scene> {
  const { seed, tenants, quota } = options;
  const closers: (() => unknown)[] = [];
  const end = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await Promise.resolve(close()).catch(() => undefined);
  };
  try {
    const sqs = await SqsDoor.open();
    closers.push(() => sqs.close());
    const postgres = options.postgres ? await RealPostgres.start() : null;
    closers.push(() => postgres?.end());
    // The first tenant is the demo, whose organization the world has itself.
    const organizations: Organization[] = [];
    for (let n = 1; n < tenants; n += 1) {
      const simulator = await startSimulator({ seed: `${seed} ${n}`, quotaPerSecond: quota, allowHttpWebhooks: true });
      closers.push(() => simulator.close());
      organizations.push({ tenantId: `tenant-${n}`, seed: `${seed} ${n}`, simulator });
    }
    const clocks = clocksOf(seed);
    const env = {
      ...SOON,
      ...EMBEDDED_AWS,
      SWEEP_MS: String(options.sweepMs),
      SIMULATOR_QUOTA: String(quota),
      SIMULATOR_SEED: seed,
      SQS_ENDPOINT: sqs.url,
      GLADLY_EXTRA_HOSTS: organizations.map(({ simulator }) => new URL(simulator.url).host).join(','),
      NODE_OPTIONS: `--import=${join(import.meta.dirname, 'clock-skew.ts')}`,
      CLOCK_API_MS: String(clocks.api),
      CLOCK_WORKER_MS: String(clocks.worker),
      ...(postgres && { DATABASE_URL: postgres.url }),
    };
    const world = await World.start(env);
    let keeps = false;
    closers.push(() => world.end({ keep: keeps }));
    const { databaseUrl } = world.places();
    const connection = await Connection.connect({ address: world.temporalAddress });
    closers.push(() => connection.close());
    const db = openDb(databaseUrl, { max: 2, name: 'chaos' });
    closers.push(() => db.close());

    const demo = world.pipeline();
    const others = organizations.map((one) => ({ one, pipeline: pipelineOf(world, one) }));
    await Promise.all(others.map(({ one, pipeline }) => connect(pipeline, one)));
    const sites = [demo, ...others.map(({ pipeline }) => pipeline)].map((pipeline) => ({
      tenantId: pipeline.tenantId,
      pipeline,
      follower: new Follower(pipeline),
      thirdParty: new Set<string>(),
    }));
    return {
      world,
      sites,
      sqs,
      temporal: new Client({ connection }),
      postgres,
      db,
      clocks,
      workerEnv: {
        ...env,
        GLADLY_EXTRA_HOSTS: `${env.GLADLY_EXTRA_HOSTS},${new URL(world.places().simulator).host}`,
        DATABASE_URL: databaseUrl,
        TEMPORAL_ADDRESS: world.temporalAddress,
        PUBLIC_URL: world.places().api,
        SECRET_KEYS: world.secretKeys(),
      },
      end: async ({ keep }) => {
        keeps = keep;
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}

interface Organization {
  readonly tenantId: string;
  readonly seed: string;
  readonly simulator: Simulator;
}

const pipelineOf = (world: World, { tenantId, simulator }: Organization): Pipeline =>
  new Pipeline(() => ({ ...world.places(), simulator: simulator.url }), tenantId);

async function connect(pipeline: Pipeline, { tenantId, seed, simulator }: Organization): Promise<void> {
  const insist = async (method: string, path: string, body: unknown, wanted: number): Promise<void> => {
    const { status, text } = await pipeline.ask(method, path, body);
    if (status !== wanted) throw new Error(`${method} ${path}: ${status} ${text}`);
  };
  await insist('POST', '/v1/tenants', { tenantId, name: tenantId, webhookSetup: 'create_for_me' }, 201);
  const domain = new URL(simulator.url).host;
  await insist('PUT', `/v1/tenants/${tenantId}/credentials`, { domain, ...demoCredentials(seed) }, 202);
  await pipeline.when('it is connected', ({ onboarding }) => onboarding?.state === 'done', CONNECT_MS);
}

function clocksOf(seed: string): Scene['clocks'] {
  const random = createRandom('clocks', seed);
  const off = (): number => 1_000 * random.int(CLOCK_OFF_SECONDS.least, CLOCK_OFF_SECONDS.most);
  const sign = random.chance(0.5) ? 1 : -1;
  return { api: sign * off(), worker: -sign * off() };
}

const line = z.object({ time: z.union([z.number(), z.string()]), event: z.string().optional() });

/** How far a role's clock was off when it came up, in ms, as its log shows; null when it does not. `startedAt`: by our clock. */
export function clockSeen(world: World, role: 'api' | 'worker', startedAt: number): number | null {
  for (const text of world.log(role).split('\n')) {
    const found = line.safeParse(parse(text));
    if (found.success) return new Date(found.data.time).getTime() - startedAt;
  }
  return null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
