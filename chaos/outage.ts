import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { World } from '../bench/support/world.ts';
import { openPart, type Part } from '../test/support/ingest/processes.ts';
import type { Pipeline } from '../test/support/pipeline.ts';
import { Follower } from './follower.ts';
import { send, settle } from './run.ts';
import { judge, type Verdict } from './verdict.ts';

export const OUTAGES = { sqs: ['sqs'], postgres: ['postgres'], both: ['sqs', 'postgres'] } as const;
export type Outage = keyof typeof OUTAGES;

export interface OutageOptions {
  /** What is killed, and stays dead for so long. */
  readonly outage: Outage;
  readonly seconds: number;
  /** Events a second, before, during and after. */
  readonly rate: number;
  /** Of the simulated Gladly, requests a second: more makes the run quicker, not easier. */
  readonly quota: number;
  readonly seed: string;
  readonly keep: boolean;
  readonly say: (line: string) => void;
}

export interface OutageResult {
  readonly verdict: Verdict;
  /** Deliveries of Gladly's that began while the store was dead. */
  readonly during: number;
  /** The slowest answer that Gladly got; it gives up after 15 s. */
  readonly slowestMs: number;
  readonly tookMs: number;
}

/** Deliveries flow for so long before the outage and after it. */
const AROUND_MS = 10_000;

/** Everything that `npm start` runs, under a steady load, while SQS, Postgres or both are dead; then all is counted. */
export async function outage(options: OutageOptions): Promise<OutageResult> {
  const { seconds, rate, quota, seed, say } = options;
  const started = performance.now();
  const since = (): string => `${Math.round((performance.now() - started) / 1_000)} s`;
  const parts = { sqs: await openPart('sqs'), postgres: await openPart('postgres') };
  let world: World | undefined;
  try {
    world = await World.start({
      SIMULATOR_QUOTA: String(quota),
      SIMULATOR_SEED: seed,
      DATABASE_URL: `postgres://postgres@127.0.0.1:${parts.postgres.port}/postgres`,
      SQS_ENDPOINT: `http://127.0.0.1:${parts.sqs.port}`,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'embedded',
      AWS_SECRET_ACCESS_KEY: 'embedded',
    });
    say(`up after ${since()}; data in ${world.dataDir}`);
    const pipeline = world.pipeline();
    const follower = new Follower(pipeline);
    const events = Math.round((rate * (2 * AROUND_MS + seconds * 1_000)) / 1_000);
    const victims = OUTAGES[options.outage].map((name) => parts[name]);
    const [, dead] = await Promise.all([
      send(pipeline, events, rate),
      kill(victims, seconds, (what) => say(`${what} after ${since()}`)),
    ]);
    await settle(pipeline);
    say(`settled after ${since()}`);
    await follower.stop();
    const verdict = await judge(pipeline, world.places().databaseUrl, follower);
    return { verdict, ...(await answersOf(pipeline, dead)), tookMs: performance.now() - started };
  } finally {
    await world?.end({ keep: options.keep });
    await Promise.all([parts.sqs.close(), parts.postgres.close()]);
  }
}

/** Milliseconds since 1970, on this machine's clock: the simulator's own runs with it until everything has happened. */
interface Span {
  readonly from: number;
  readonly to: number;
}

async function kill(parts: readonly Part[], seconds: number, say: (what: string) => void): Promise<Span> {
  await sleep(AROUND_MS);
  await Promise.all(parts.map((part) => part.kill()));
  say('killed');
  const from = Date.now();
  await sleep(seconds * 1_000);
  const to = Date.now();
  await Promise.all(parts.map((part) => part.start()));
  say('started again');
  return { from, to };
}

const attempt = z.object({ at: z.string().transform((text) => Date.parse(text)), tookMs: z.number() });

async function answersOf(pipeline: Pipeline, dead: Span): Promise<Pick<OutageResult, 'during' | 'slowestMs'>> {
  const attempts = (await pipeline.deliveries()).flatMap((delivery) => attempt.array().parse(delivery.attempts));
  return {
    during: attempts.filter(({ at }) => at >= dead.from && at < dead.to).length,
    slowestMs: attempts.reduce((slowest, { tookMs }) => Math.max(slowest, tookMs), 0),
  };
}
