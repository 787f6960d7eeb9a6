import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { RealPostgres } from '../../dev/real-postgres.ts';
import { openDb } from '../../src/store/db.ts';
import { freePort } from '../../test/support/free-port.ts';
import { type Arrivals, type Span, untilStored } from '../support/arrivals.ts';
import { endsWithUs } from '../support/ending.ts';
import { Feeder } from '../support/feeder.ts';
import { figure } from '../support/figures.ts';
import { untilAllBegan } from '../support/freshness-of.ts';
import { type Enrolled, enroll } from '../support/many-tenants.ts';
import { openOrganizations } from '../support/organizations.ts';
import { bundleOnce, OwnWorker } from '../support/own-worker.ts';
import { inWords, type Watched } from '../support/processor-time.ts';
import { type Finding, quantile, type Say } from '../support/report.ts';
import { serverMetrics, sumBy, total } from '../support/server-metrics.ts';
import { silenceDemo } from '../support/silence.ts';
import { NO_SETTLING, World } from '../support/world.ts';
import { type Holdings, holdings, sharesInWords, spreadOf } from './holders.ts';

export interface WorkersOptions {
  readonly tenants: number;
  /** Events a second, all tenants together. */
  readonly rate: number;
  /** Of each time in which it is measured: how long two workers that joined have, and freshness before the restart. */
  readonly seconds: number;
}

const WORKERS = 3;
const BEGIN_MS = 120_000;
const PATIENCE_MS = 60_000;
/** After the last worker has come back: what the last of the old ones left behind shows then. */
const AFTER_ROLLING_MS = 10_000;
/** Of the events that show when a killed worker's tenants extract again: so often has each of them one, in seconds. */
const LOSS_EVENT_EVERY_S = 3;
const LOSS_MOST_MS = 120_000;
const LOOK_MS = 250;
const CONVERSATIONS = 3;
/** More than the whole takes; the world is ended with them. */
const EVENTS = 200_000;

/** Three workers that this process starts by itself, for one that a world starts anew as soon as it is killed is not lost. */
class Crew {
  readonly #world: World;
  readonly #env: Readonly<Record<string, string>>;
  readonly #members: OwnWorker[] = [];
  #started = 0;

  constructor(world: World, env: Readonly<Record<string, string>>) {
    this.#world = world;
    this.#env = env;
  }

  get members(): readonly OwnWorker[] {
    return this.#members;
  }

  get names(): readonly string[] {
    return this.#members.map(({ name }) => name);
  }

  processes(): ReadonlyMap<string, Watched> {
    return new Map(this.#members.map(({ label, pid }) => [label, { pid }]));
  }

  async add(): Promise<void> {
    this.#started += 1;
    this.#members.push(await OwnWorker.start(this.#world, `worker-${this.#started}`, this.#env));
  }

  async lose(worker: OwnWorker): Promise<void> {
    this.#members.splice(this.#members.indexOf(worker), 1);
    await worker.kill();
  }

  /** One after the other: told to stop, waited for, and replaced. Returns how each ended. */
  async rollOver(): Promise<readonly (number | string)[]> {
    const codes: (number | string)[] = [];
    for (const worker of [...this.#members]) {
      codes.push(await worker.stop());
      this.#members.splice(this.#members.indexOf(worker), 1);
      await this.add();
    }
    return codes;
  }

  async end(): Promise<void> {
    await Promise.all(this.#members.map((worker) => worker.kill()));
  }
}

export async function measureWorkers(options: WorkersOptions, say: Say): Promise<readonly Finding[]> {
  const { tenants } = options;
  const organizations = await openOrganizations(tenants);
  const postgres = await RealPostgres.start();
  endsWithUs(() => postgres.end());
  let world: World | undefined;
  let crew: Crew | undefined;
  try {
    const metricsPort = await freePort();
    world = await World.start({
      ...NO_SETTLING,
      DATABASE_URL: postgres.url,
      TEMPORAL_METRICS_PORT: String(metricsPort),
      GLADLY_EXTRA_HOSTS: organizations.hosts.join(','),
    });
    const pipeline = world.pipeline();
    organizations.leadTo(world.places().simulator);
    await pipeline.control('PATCH', '/simulator/settings', { quotaPerSecond: null }, z.unknown());
    await silenceDemo(world);
    world.keepDead('worker');
    crew = new Crew(world, { WORKFLOW_BUNDLE: bundleOnce(world) });
    await crew.add();
    const own = crew;
    const time = world.processorTime(
      () => new Map([...own.processes(), ...(postgres.pid ? [['postgres', { pid: postgres.pid }] as const] : [])]),
    );
    const names = Array.from({ length: tenants }, (_, n) => `shared-${n}`);
    const enrolled = await enroll(world, names, organizations);
    await untilAllBegan(world.places().databaseUrl, names, BEGIN_MS);
    const feeder = new Feeder(pipeline, enrolled);
    await feeder.start();
    const stage: Stage = { world, crew, feeder, enrolled, metricsPort, options, say };
    await emit(stage, options.rate, EVENTS);
    const spread = await measureSpread(stage);
    const rolled = await rollOver(stage);
    const loss = await measureLoss(stage);
    const words = inWords(time.stop());
    say(words);
    const arrivals = await untilStored(feeder, world.places().databaseUrl, enrolled, PATIENCE_MS);
    return [
      { ...loss, how: `${loss.how}. Processor time of the whole benchmark: ${words}` },
      spread,
      ...rollingFigures(stage, rolled, arrivals),
    ];
  } finally {
    await crew?.end();
    await world?.end();
    await postgres.end();
    organizations.close();
  }
}

interface Stage {
  readonly world: World;
  readonly crew: Crew;
  readonly feeder: Feeder;
  readonly enrolled: readonly Enrolled[];
  readonly metricsPort: number;
  readonly options: WorkersOptions;
  readonly say: Say;
}

/** Events for all tenants in turn, from now on. */
async function emit({ world, enrolled }: Stage, ratePerSecond: number, count: number): Promise<void> {
  const order = { count, ratePerSecond, conversations: CONVERSATIONS * enrolled.length, wait: false };
  await world.pipeline().control('POST', '/simulator/emit', order, z.unknown());
}

const heldNow = ({ world, enrolled, crew }: Stage): Promise<Holdings> =>
  holdings(
    world,
    enrolled.map(({ tenantId }) => tenantId),
    crew.names,
  );

/** Two workers join one that has all the tenants. */
async function measureSpread(stage: Stage): Promise<Finding> {
  const { crew, options, say } = stage;
  const { tenants, rate, seconds } = options;
  while (crew.members.length < WORKERS) await crew.add();
  await sleep(seconds * 1_000);
  const held = await heldNow(stage);
  say(`${seconds} s after two workers joined: ${sharesInWords(held)} awake tenants each`);
  return {
    figure: figure('workers_spread', spreadOf(held), 'times', 'lower', 1.3),
    how: `the largest share of the tenants that were awake ÷ the smallest, ${seconds} s after two workers had joined one: ${sharesInWords(held)} of ${tenants}, with ${rate} events a second over all of them; a worker without any counts as one with one`,
  };
}

interface Rolled {
  readonly before: Span;
  readonly during: Span;
  readonly timeouts: number;
  readonly codes: readonly (number | string)[];
  /** Awake tenants of each worker after it. */
  readonly shares: string;
}

async function rollOver(stage: Stage): Promise<Rolled> {
  const { crew, options, metricsPort, say } = stage;
  const from = Date.now();
  await sleep(options.seconds * 1_000);
  const timeoutsBefore = await timeouts(metricsPort);
  const began = Date.now();
  const codes = await crew.rollOver();
  await sleep(AFTER_ROLLING_MS);
  const to = Date.now();
  const shares = sharesInWords(await heldNow(stage));
  say(`rolled over in ${Math.round((to - began) / 1_000)} s, ended with ${codes.join(', ')}; then ${shares} awake`);
  return {
    before: { from, to: began },
    during: { from: began, to },
    timeouts: (await timeouts(metricsPort)) - timeoutsBefore,
    codes,
    shares,
  };
}

function rollingFigures(
  { options, say }: Stage,
  { before, during, timeouts: lost, codes, shares }: Rolled,
  arrivals: Arrivals,
): readonly Finding[] {
  const [calm, rolling] = [arrivals.of(before), arrivals.of(during)];
  const spread = (ms: readonly number[]): string =>
    [0.5, 0.99, 1].map((part) => Math.round(quantile(ms, part))).join(', ');
  say(`freshness before: ${spread(calm.ms)} ms; during: ${spread(rolling.ms)} ms; ${lost} heartbeat timeouts`);
  return [
    {
      figure: figure('rolling_p99_ratio', quantile(rolling.ms, 0.99) / quantile(calm.ms, 0.99), 'times', 'lower', 3),
      how: `freshness p99 of ${rolling.ms.length} events during a rolling restart of ${WORKERS} workers (SIGTERM, waited for, replaced, the next; and ${AFTER_ROLLING_MS / 1_000} s more) ÷ that of ${calm.ms.length} before it, ${options.rate} a second; p50, p99 and slowest: ${spread(rolling.ms)} ms, before ${spread(calm.ms)} ms; ${rolling.ms.length - rolling.stored} were not stored at the end. The restart took ${Math.round((during.to - during.from - AFTER_ROLLING_MS) / 1_000)} s; after it ${shares} tenants were awake on each`,
    },
    {
      figure: figure('rolling_timeouts', lost, 'timeouts', 'lower', 0),
      how: `heartbeat timeouts meanwhile, by the server's own count; the workers ended with ${codes.join(', ')}`,
    },
  ];
}

/** Heartbeat timeouts since the server started. */
async function timeouts(port: number): Promise<number> {
  const only = { namespace: 'default', timeout_type: 'Heartbeat' };
  return total(sumBy(await serverMetrics(port), 'activity_task_timeout', 'activityType', only));
}

/** Kills the worker that has most tenants, and waits until each of these extracts again. */
async function measureLoss(stage: Stage): Promise<Finding> {
  const { world, crew, enrolled, metricsPort, options, say } = stage;
  const often = enrolled.length / LOSS_EVENT_EVERY_S;
  await emit(stage, often, Math.ceil((often * LOSS_MOST_MS) / 1_000));
  await sleep(LOSS_EVENT_EVERY_S * 1_000);
  const held = await heldNow(stage);
  const [name, victims] = [...held].reduce((most, one) => (one[1].length > most[1].length ? one : most));
  const victim = crew.members.find((member) => member.name === name);
  if (victim === undefined || victims.length === 0) throw new Error('no worker has a tenant: there is none to be lost');
  const timeoutsBefore = await timeouts(metricsPort);
  const killedAt = Date.now();
  await crew.lose(victim);
  const resumed = await resumedAfter(world, victims, killedAt);
  const after = victims.map((tenantId) => resumed.get(tenantId) ?? LOSS_MOST_MS);
  const missing = victims.length - resumed.size;
  const lost = (await timeouts(metricsPort)) - timeoutsBefore;
  const seconds = (part: number): string => (quantile(after, part) / 1_000).toFixed(1);
  say(
    `killed the worker of ${victims.length} (${sharesInWords(held)}): half go on after ${seconds(0.5)} s, all after ${seconds(1)} s`,
  );
  return {
    figure: figure('worker_loss_resume_s', Math.max(...after) / 1_000, 's', 'lower', 30),
    how: `kill -9 of the one of ${WORKERS} workers with most tenants (${sharesInWords(held)}), which is not replaced: until an event of each of its ${victims.length} tenants was stored again, of which each had one in ${LOSS_EVENT_EVERY_S} s or less besides ${options.rate} a second over all; half after ${seconds(0.5)} s, with ${lost} heartbeat timeouts${missing > 0 ? `; ${missing} not within ${LOSS_MOST_MS / 1_000} s` : ''}`,
  };
}

/** Milliseconds until each of them had stored an event again; those that did not in time are left out. */
async function resumedAfter(
  world: World,
  tenantIds: readonly string[],
  since: number,
): Promise<ReadonlyMap<string, number>> {
  const db = openDb(world.places().databaseUrl, { max: 1, name: 'bench' });
  try {
    for (;;) {
      const { rows } = await db.query<{ tenantId: string; at: Date }>(
        `SELECT tenant_id AS "tenantId", min(done_at) AS at FROM events
         WHERE tenant_id = ANY($1) AND state = 'extracted' AND done_at > $2 GROUP BY tenant_id`,
        [[...tenantIds], new Date(since)],
      );
      if (rows.length === tenantIds.length || Date.now() - since > LOSS_MOST_MS)
        return new Map(rows.map(({ tenantId, at }) => [tenantId, at.getTime() - since]));
      await sleep(LOOK_MS);
    }
  } finally {
    await db.close();
  }
}
