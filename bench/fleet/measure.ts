import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { RealPostgres } from '../../dev/real-postgres.ts';
import { untilStored } from '../support/arrivals.ts';
import { endsWithUs } from '../support/ending.ts';
import { Feeder } from '../support/feeder.ts';
import { figure } from '../support/figures.ts';
import { parkedOf, storedOf, untilAllBegan } from '../support/freshness-of.ts';
import { enroll } from '../support/many-tenants.ts';
import { openOrganizations } from '../support/organizations.ts';
import { inWords, OURS, sumOf } from '../support/processor-time.ts';
import { type Finding, quantile, type Say } from '../support/report.ts';
import { silenceDemo } from '../support/silence.ts';
import { NO_SETTLING, World } from '../support/world.ts';

export interface FleetOptions {
  readonly tenants: number;
  /** Events a second, all tenants together. */
  readonly rate: number;
  readonly seconds: number;
  /** Seconds at the same rate before it counts: twice the time between two events of a tenant. */
  readonly warmup: number;
  /** 1: Debian's Postgres. */
  readonly postgres: number;
}

const BEGIN_MS = 300_000;
const PATIENCE_MS = 60_000;
/** Seconds between two looks at how many are parked: such a query costs as well. */
const PARKED_LOOK_S = 10;
/** Several of each tenant are alive at a time, each of which gets its events in turn. */
const CONVERSATIONS = 3;
/** Of one order to the simulated Gladly. */
const MOST_CONVERSATIONS = 10_000;

/** Events at a steady pace over many tenants, each of which has its turn: `tenants / rate` seconds between two events of one. */
export async function measureFleet(options: FleetOptions, say: Say): Promise<readonly Finding[]> {
  const { tenants, rate, seconds, warmup } = options;
  const organizations = await openOrganizations(tenants);
  const postgres = options.postgres === 1 ? await RealPostgres.start() : null;
  if (postgres) endsWithUs(() => postgres.end());
  let world: World | undefined;
  try {
    world = await World.start({
      ...NO_SETTLING,
      GLADLY_EXTRA_HOSTS: organizations.hosts.join(','),
      ...(postgres && { DATABASE_URL: postgres.url }),
    });
    const pipeline = world.pipeline();
    const { databaseUrl, simulator } = world.places();
    organizations.leadTo(simulator);
    await pipeline.control('PATCH', '/simulator/settings', { quotaPerSecond: null }, z.unknown());
    await silenceDemo(world);
    const names = Array.from({ length: tenants }, (_, n) => `fleet-${n}`);
    const from = performance.now();
    const enrolled = await enroll(world, names, organizations);
    const began = await untilAllBegan(databaseUrl, names, BEGIN_MS);
    const setUp = Math.round((performance.now() - from) / 1_000);
    say(`${tenants} tenants after ${setUp} s, ${began} of them at work once`);

    const feeder = new Feeder(pipeline, enrolled);
    await feeder.start();
    const conversations = Math.min(CONVERSATIONS * tenants, MOST_CONVERSATIONS);
    const order = { count: Math.ceil(rate * (warmup + seconds)), ratePerSecond: rate, conversations, wait: false };
    await pipeline.control('POST', '/simulator/emit', order, z.unknown());
    await sleep(warmup * 1_000);

    const time = world.processorTime(
      () => new Map(postgres?.pid ? [['postgres', { pid: postgres.pid }] as const] : []),
    );
    const since = new Date();
    let parked = 0;
    for (let look = 0; look < seconds; look += 1) {
      await sleep(1_000);
      if (look % PARKED_LOOK_S === 0) parked = Math.max(parked, await parkedOf(databaseUrl, names));
    }
    const usage = time.stop();
    const stored = await storedOf(databaseUrl, names, since, new Date());
    const arrivals = await untilStored(feeder, databaseUrl, enrolled, PATIENCE_MS);
    const arrived = arrivals.of({ from: since.getTime() });
    const sum = sumOf(usage, OURS);
    const words = inWords(usage, stored);
    say(`${stored} events stored in ${seconds} s: ${words}`);
    say(
      `${feeder.posted} accepted and ${arrived.refused} refused from the start; ${arrived.stored} of ${arrived.ms.length} stored of those after the warm-up`,
    );
    const ms = arrived.ms;
    const spread = [0.5, 0.9, 0.99, 1].map((part) => Math.round(quantile(ms, part)));
    say(`freshness: ${spread.join(', ')} ms`);
    const load = `${tenants} tenants with a Gladly address each, ${rate} events a second together (one of a tenant in ${(tenants / rate).toFixed(0)} s), settle off, ${seconds} s after ${warmup} s of the same`;
    return [
      {
        figure: figure('fleet_cpu_ms_per_event', sum / stored, 'ms', 'lower', 8),
        how: `API, worker, Temporal, ${postgres ? `Postgres ${postgres.version}` : 'PGlite'} and SQS together, ${stored} events, ${load}; ${words}; ${parked} of the tenants were parked at most. They were made in ${setUp} s`,
      },
      {
        figure: figure('fleet_freshness_p50_ms', quantile(ms, 0.5), 'ms', 'lower', 300),
        how: 'of the same events, from accepted to stored',
      },
      {
        figure: figure('fleet_freshness_p99_ms', quantile(ms, 0.99), 'ms', 'lower', 1_000),
        how: `of the same events; the slowest took ${Math.round(quantile(ms, 1))} ms, and ${ms.length - arrived.stored} were not stored ${PATIENCE_MS / 1_000} s after the last`,
      },
    ];
  } finally {
    await world?.end();
    await postgres?.end();
    organizations.close();
  }
}
