import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { untilStored } from '../support/arrivals.ts';
import { Feeder } from '../support/feeder.ts';
import { freshnessOf, parkedOf, untilAllBegan } from '../support/freshness-of.ts';
import { type Enrolled, enroll, enrollAsleep } from '../support/many-tenants.ts';
import { residentMb } from '../support/memory.ts';
import { openOrganizations } from '../support/organizations.ts';
import { inWords, type Usage } from '../support/processor-time.ts';
import { quantile, type Say } from '../support/report.ts';
import { silenceDemo } from '../support/silence.ts';
import { NO_SETTLING, World } from '../support/world.ts';

export interface CrowdOptions {
  /** Besides those that are asleep. */
  readonly tenants: number;
  /** Of them, those with a backlog. */
  readonly busy: number;
  /** Events of each backlog. */
  readonly backlog: number;
  /** Events for tenants without a backlog, while the backlogs are drained. */
  readonly events: number;
  /** Of these, a second. */
  readonly rate: number;
  /** Tenants that were parked before the worker knew of them; of five events one is for one of them. */
  readonly asleep: number;
}

/** Milliseconds from accepted to stored, and what it cost. Memory in megabytes. */
export interface Crowd {
  readonly awake: readonly number[];
  readonly woken: readonly number[];
  readonly notStored: number;
  /** Events of backlogs that were in the ledger and still waiting when the last of the others was sent. */
  readonly backlogLeft: number;
  /** Of the tenants that are not asleep, when the events began. */
  readonly parked: number;
  readonly setUpSeconds: { readonly asleep: number; readonly awake: number };
  readonly usage: Usage;
  readonly rss: { readonly few: number; readonly many: number; readonly peak: number; readonly api: number };
}

/**
 * Of each tenant's 10 requests a second. So low that the backlogs last as long as the others are looked at; and 100 drains at 0.7 would make
 * 700 a second, of which one machine cannot be the Gladly as well.
 */
const SHARE = 0.1;
/** Conversations of each backlog: two requests each, at one a second. */
const CONVERSATIONS = 60;
const BEGIN_MS = 300_000;
const PATIENCE_MS = 60_000;
/** One event of so many is for a tenant that is asleep. */
const WAKES_ONE_IN = 5;
/** Of one order to the simulated Gladly. */
const MOST_CONVERSATIONS = 10_000;

/** One worker, many tenants: some with so much to do that they could keep it from the others. */
export async function measureCrowd(options: CrowdOptions, say: Say): Promise<Crowd> {
  const { tenants, busy, backlog, events, rate, asleep } = options;
  const wakeable = asleep > 0 ? Math.ceil(events / WAKES_ONE_IN) : 0;
  const organizations = await openOrganizations(tenants + wakeable);
  const hosts = { awake: organizations.hosts.slice(0, tenants), wakeable: organizations.hosts.slice(tenants) };
  let world: World | undefined;
  try {
    world = await World.start({
      ...NO_SETTLING,
      QUOTA_SHARE: String(SHARE),
      GLADLY_EXTRA_HOSTS: organizations.hosts.join(','),
    });
    const here = world;
    const pipeline = world.pipeline();
    const { databaseUrl, simulator } = world.places();
    organizations.leadTo(simulator);
    await pipeline.control('PATCH', '/simulator/settings', { quotaPerSecond: null }, z.unknown());
    await silenceDemo(world);
    const rss = (part: 'worker' | 'api' = 'worker'): number => residentMb(here.pidOf(part));

    const setUp = stopwatch();
    const named = (name: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${name}-${n}`);
    const sleepers = await enrollAsleep(world, named('asleep', asleep), hosts.wakeable);
    const asleepSeconds = setUp();
    if (asleep > 0) say(`${asleep} tenants asleep after ${asleepSeconds} s: ${rss()} MB`);

    const names = named('tenant', tenants);
    const [busyNames, quietNames] = [names.slice(0, busy), names.slice(busy)];
    const enrolledBusy = await enroll(world, busyNames, { hosts: hosts.awake });
    await untilAllBegan(databaseUrl, busyNames, BEGIN_MS);
    const few = rss();
    const quiet = await enroll(world, quietNames, { hosts: hosts.awake.slice(busy) });
    const began = await untilAllBegan(databaseUrl, quietNames, BEGIN_MS);
    const many = rss();
    const awakeSeconds = setUp();
    say(`${busy} tenants: ${few} MB; ${tenants} after ${awakeSeconds} s, ${began + busy} at work once: ${many} MB`);

    const busyFeeder = new Feeder(pipeline, enrolledBusy);
    await busyFeeder.start();
    const conversations = Math.min(busy * CONVERSATIONS, MOST_CONVERSATIONS);
    await pipeline.control(
      'POST',
      '/simulator/emit',
      { count: busy * backlog, conversations, wait: true },
      z.unknown(),
    );
    await busyFeeder.stop();
    say(`${busyFeeder.posted} events of backlogs posted, ${busyFeeder.refused.length} refused`);

    const parked = await parkedOf(databaseUrl, names);
    const targets = alternating(quiet, sleepers, WAKES_ONE_IN);
    const feeder = new Feeder(pipeline, targets);
    await feeder.start();
    const time = world.processorTime();
    const order = {
      count: events,
      ratePerSecond: rate,
      conversations: Math.min(events, MOST_CONVERSATIONS),
      wait: false,
    };
    await pipeline.control('POST', '/simulator/emit', order, z.unknown());
    let peak = many;
    for (let look = 0; look < events / rate; look += 1) {
      await sleep(1_000);
      peak = Math.max(peak, rss());
    }
    const usage = time.stop();
    const left = await freshnessOf(databaseUrl, busyNames, new Date(0));
    const arrivals = await untilStored(feeder, databaseUrl, targets, PATIENCE_MS);
    const isAsleep = (tenantId: string): boolean => tenantId.startsWith('asleep-');
    const awake = arrivals.of({}, (tenantId) => !isAsleep(tenantId));
    const woken = arrivals.of({}, isAsleep);
    const crowd: Crowd = {
      awake: awake.ms,
      woken: woken.ms,
      notStored: awake.ms.length - awake.stored + woken.ms.length - woken.stored,
      backlogLeft: left.waiting,
      parked,
      setUpSeconds: { asleep: asleepSeconds, awake: awakeSeconds },
      usage,
      rss: { few, many, peak, api: rss('api') },
    };
    say(crowdInWords(options, crowd));
    return crowd;
  } finally {
    await world?.end();
    organizations.close();
  }
}

/** What was measured, for the reader of a figure. */
export function crowdInWords(
  { tenants, busy, backlog, rate, asleep = 0 }: Omit<CrowdOptions, 'asleep'> & Partial<Pick<CrowdOptions, 'asleep'>>,
  { awake, woken, notStored, backlogLeft, parked, usage, setUpSeconds }: Crowd,
): string {
  const spread = (ms: readonly number[]): string =>
    [0.5, 0.9, 0.99, 1].map((part) => Math.round(quantile(ms, part))).join(', ');
  const all = awake.length + woken.length;
  return [
    `${all} events, ${rate} a second, from accepted to stored, while ${busy} other tenants had ${backlog} events each to drain (${backlogLeft} were left in the ledger at the end), settle off; one request a second for each tenant, so that the second of the two that an event costs waits for a second`,
    `p50, p90, p99 and slowest of ${awake.length} for tenants without a backlog: ${spread(awake)} ms`,
    ...(woken.length > 0 ? [`of ${woken.length} for those of ${asleep} that were asleep: ${spread(woken)} ms`] : []),
    `${notStored} were not stored ${PATIENCE_MS / 1_000} s after the last; of ${tenants} tenants ${parked} were parked before`,
    `processor time meanwhile: ${inWords(usage, all)}`,
    `set up in ${setUpSeconds.asleep > 0 ? `${setUpSeconds.asleep} s (asleep) and ` : ''}${setUpSeconds.awake} s`,
  ].join('; ');
}

/** All of the first, and after so many of them less one, one of the others, while there are any. */
export function alternating(
  first: readonly Enrolled[],
  others: readonly Enrolled[],
  oneIn: number,
): readonly Enrolled[] {
  const left = [...others];
  return first.flatMap((one, n) => ((n + 1) % (oneIn - 1) === 0 ? [one, ...left.splice(0, 1)] : [one]));
}

/** Whole seconds since it was asked last. */
function stopwatch(): () => number {
  let from = performance.now();
  return () => {
    const [began, now] = [from, performance.now()];
    from = now;
    return Math.round((now - began) / 1_000);
  };
}
