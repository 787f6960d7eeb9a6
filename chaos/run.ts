import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { World } from '../bench/support/world.ts';
import { RealPostgres } from '../dev/real-postgres.ts';
import type { Pipeline } from '../test/support/pipeline.ts';
import { Follower } from './follower.ts';
import { type Done, doAll, insist, killPart, type Victim } from './happenings.ts';
import { makePlan } from './plan.ts';
import { tellOfEverything } from './untold.ts';
import { judge, type Verdict } from './verdict.ts';

export interface ChaosOptions {
  readonly seed: string;
  readonly events: number;
  readonly kills: number;
  /** Events a second. */
  readonly rate: number;
  /** Of the simulated Gladly, requests a second. Its real one is 10; more makes a run quicker, not easier. */
  readonly quota: number;
  /** Debian's Postgres instead of PGlite. */
  readonly postgres: boolean;
  /** Leaves the folder with data and logs behind. */
  readonly keep: boolean;
  readonly say: (line: string) => void;
}

export interface ChaosResult {
  readonly verdict: Verdict;
  readonly done: Done;
  readonly tookMs: number;
  readonly database: string;
}

/** A message that a killed worker had received is seen again after its visibility timeout of 60 s; a second worker may die of it too. */
const SETTLE_MS = 300_000;
/** Simulated seconds in a real one, once all events have happened: the hour of resends then passes in 20 s. */
export const HURRY = 180;

/** Sends events while everything that can die is killed, waits until all is quiet, and counts. */
export async function chaos(options: ChaosOptions): Promise<ChaosResult> {
  const { seed, events, kills, rate, say } = options;
  const postgres = options.postgres ? await RealPostgres.start() : null;
  let world: World | undefined;
  const started = performance.now();
  try {
    world = await World.start({
      SIMULATOR_QUOTA: String(options.quota),
      SIMULATOR_SEED: seed,
      ...(postgres && { DATABASE_URL: postgres.url }),
    });
    const since = (): string => `${Math.round((performance.now() - started) / 1_000)} s`;
    say(`up after ${since()}; data in ${world.dataDir}`);
    const pipeline = world.pipeline();
    const follower = new Follower(pipeline);
    const plan = makePlan({ seed, kills, lengthMs: (events / rate) * 1_000 });
    const done: Done = new Map();
    await Promise.all([send(pipeline, events, rate), doAll(victimOf(world, pipeline, postgres, say), plan, done)]);
    say(`all has happened after ${since()}; now it may settle`);
    await settle(pipeline);
    say(`settled after ${since()}`);
    await follower.stop();
    const verdict = await judge(pipeline, world.places().databaseUrl, follower);
    const database = postgres ? `Postgres ${postgres.version}` : 'PGlite';
    return { verdict, done, database, tookMs: performance.now() - started };
  } finally {
    await world?.end({ keep: options.keep });
    await postgres?.end();
  }
}

function victimOf(world: World, pipeline: Pipeline, postgres: RealPostgres | null, say: ChaosOptions['say']): Victim {
  return {
    world,
    pipeline,
    kill: async (part) => {
      const at = performance.now();
      await (part === 'postgres' && postgres ? postgres.kill() : killPart(world, part));
      say(`killed ${part}; its successor was started after ${Math.round(performance.now() - at)} ms`);
    },
  };
}

const run = z.object({ run: z.number() });
const runState = z.object({ state: z.string(), error: z.string().optional() });
const LOOK_MS = 2_000;

/** Resolves when the last event has happened. */
export async function send(pipeline: Pipeline, count: number, ratePerSecond: number): Promise<void> {
  const order = { count, ratePerSecond, onlySubscribed: true, wait: false };
  const { run: id } = await pipeline.control('POST', '/simulator/emit', order, run);
  for (;;) {
    const { state, error } = await pipeline.control('GET', `/simulator/runs/${id}`, undefined, runState);
    if (state === 'failed') throw new Error(`the simulator stopped sending: ${error}`);
    if (state === 'finished') return;
    await sleep(LOOK_MS);
  }
}

/** Takes all faults away, lets Gladly send again what was refused, and waits until nothing is under way. */
export async function settle(pipeline: Pipeline): Promise<void> {
  await pipeline.control('DELETE', '/simulator/faults', undefined, z.unknown());
  await insist(pipeline, 'resume', {});
  await pipeline.when('the API answers', () => true);
  await pipeline.control('PATCH', '/simulator/settings', { clockFactor: HURRY }, z.unknown());
  await allIsSent(pipeline);
  await tellOfEverything(pipeline);
  await allIsSent(pipeline);
  const isQuiet = ({ inQueue, waiting }: { inQueue: number | null; waiting: number }) => inQueue === 0 && waiting === 0;
  await pipeline.when('everything is extracted', ({ events }) => isQuiet(events), SETTLE_MS);
  // What SQS calls in flight and what it calls waiting are counted one after the other: quiet twice is quiet.
  await sleep(LOOK_MS);
  await pipeline.when('everything is extracted', ({ events }) => isQuiet(events), SETTLE_MS);
}

/** Waits until Gladly has nothing left to send. */
export async function allIsSent(pipeline: Pipeline): Promise<void> {
  const settled = z.object({ settled: z.boolean() });
  const end = performance.now() + SETTLE_MS;
  while (!(await pipeline.control('GET', '/simulator/deliveries/settled?waitMs=10000', undefined, settled)).settled) {
    if (performance.now() > end) throw new Error('Gladly is not done with sending');
  }
}
