import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Feeder } from '../support/feeder.ts';
import { figure } from '../support/figures.ts';
import { freshnessOf, parkedOf } from '../support/freshness-of.ts';
import { enroll } from '../support/many-tenants.ts';
import { openOrganizations } from '../support/organizations.ts';
import { type Finding, quantile, type Say } from '../support/report.ts';
import { World } from '../support/world.ts';

export interface TenantsOptions {
  readonly tenants: number;
  /** Of them, those with a backlog. */
  readonly busy: number;
  /** Events of each backlog. */
  readonly backlog: number;
  /** Events for parked tenants, while the backlogs are drained. */
  readonly events: number;
  readonly perSecond: number;
}

/**
 * Of each tenant's 10 requests a second. So low that the backlogs last as long as parked tenants are looked at; and 100 drains at 0.7 would make
 * 700 a second, of which one machine cannot be the Gladly as well.
 */
const SHARE = 0.1;
/** Conversations of each backlog: two requests each, at one a second. */
const CONVERSATIONS = 60;
const PARK_MS = 300_000;
const SETTLE_MS = 60_000;

/** One worker, many tenants: most of them parked, some with so much to do that they fill all slots. */
export async function measureTenants(options: TenantsOptions, say: Say): Promise<readonly Finding[]> {
  const { tenants, busy, backlog, events, perSecond } = options;
  const organizations = await openOrganizations(tenants);
  const world = await World.start({
    DRAIN_SLOTS: '100',
    QUOTA_SHARE: String(SHARE),
    GLADLY_EXTRA_HOSTS: organizations.hosts.join(','),
  });
  try {
    const pipeline = world.pipeline();
    organizations.leadTo(world.places().simulator);
    await pipeline.control('PATCH', '/simulator/settings', { quotaPerSecond: null }, z.unknown());
    const { databaseUrl } = world.places();
    await pipeline.ask('POST', '/v1/tenants/demo/pause', { reason: 'not part of the benchmark' });
    const rss = (): number => residentMb(world.pidOf('worker') ?? 0);
    const allParked = async (names: readonly string[]): Promise<void> => {
      const end = performance.now() + PARK_MS;
      while ((await parkedOf(databaseUrl, names)) < names.length && performance.now() < end) await sleep(1_000);
    };

    const names = Array.from({ length: tenants }, (_, n) => `tenant-${n}`);
    const busyNames = names.slice(0, busy);
    const enrolledBusy = await enroll(world, busyNames, organizations);
    await allParked(busyNames);
    const few = rss();
    say(`${busy} tenants, all parked: ${few} MB`);
    const quietNames = names.slice(busy);
    const quiet = await enroll(world, quietNames, { hosts: organizations.hosts.slice(busy) });
    await allParked(quietNames);
    const parked = await parkedOf(databaseUrl, names);
    const many = rss();
    const slope = (1_000 * (many - few)) / (tenants - busy);
    say(`${tenants} tenants, ${parked} parked: ${many} MB, ${slope.toFixed(0)} KB a tenant`);

    const busyFeeder = new Feeder(pipeline, enrolledBusy);
    await busyFeeder.start();
    const much = { count: busy * backlog, conversations: busy * CONVERSATIONS, wait: true };
    await pipeline.control('POST', '/simulator/emit', much, z.unknown());
    await busyFeeder.stop();
    say(`${busyFeeder.posted} events of backlogs posted, ${busyFeeder.refused.length} refused`);

    const feeder = new Feeder(pipeline, quiet);
    await feeder.start();
    const since = new Date();
    const order = { count: events, ratePerSecond: perSecond, conversations: events, wait: false };
    await pipeline.control('POST', '/simulator/emit', order, z.unknown());
    let peak = many;
    for (let look = 0; look < events / perSecond; look += 1) {
      await sleep(1_000);
      peak = Math.max(peak, rss());
    }
    const left = await freshnessOf(databaseUrl, busyNames, new Date(0));
    await sleep(SETTLE_MS);
    await feeder.stop();
    const { ms, waiting } = await freshnessOf(databaseUrl, quietNames, since);
    // An event that is not stored by now is later than all the others.
    const all = [...ms, ...Array.from({ length: waiting + feeder.posted - ms.length - waiting }, () => SETTLE_MS)];
    say(
      `parked tenants: ${ms.length} of ${feeder.posted} events stored, ${[0.5, 0.9, 0.99].map((q) => Math.round(quantile(all, q))).join(', ')} ms`,
    );
    say(`backlogs: ${left.ms.length} events stored by then, ${left.waiting} in the ledger and waiting`);
    return [
      {
        figure: figure('tenants_p99_ms', quantile(all, 0.99), 'ms', 'lower', 10_000),
        how: `${feeder.posted} events of parked tenants, ${perSecond} a second, from accepted to stored, while ${busy} other tenants had ${backlog} events each to drain through 100 slots (${left.waiting} were left at the end); one request a second for each tenant; half were stored within ${Math.round(quantile(all, 0.5))} ms`,
      },
      {
        figure: figure('worker_rss_mb', peak, 'MB', 'lower', 700),
        how: `the highest of one look a second while the backlogs were drained; ${few} MB with ${busy} parked tenants, ${many} MB with ${tenants}: ${slope.toFixed(0)} KB a tenant`,
      },
    ];
  } finally {
    await world.end();
    organizations.close();
  }
}

/** What the process holds in memory (VmRSS of proc(5)), in whole megabytes. */
function residentMb(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kilobytes ?? 0) / 1_024);
}
