import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Feeder } from '../support/feeder.ts';
import { figure } from '../support/figures.ts';
import { freshnessOf, parkedOf } from '../support/freshness-of.ts';
import { enroll } from '../support/many-tenants.ts';
import { type Finding, quantile, type Say } from '../support/report.ts';
import { World } from '../support/world.ts';

export interface FreshnessOptions {
  readonly tenants: number;
  readonly perSecond: number;
  readonly seconds: number;
}

/** Tenants have an organization each, and here one together: so the one has their quotas together. */
const QUOTA = 500;
const SETTLE_MS = 15_000;
const ALL_PARKED_MS = 120_000;
const NO_SETTLING = { SETTLE_MS: '0', SETTLE_MAX_MS: '0' };

/** Events at a steady pace over many tenants, most of which are parked when theirs comes. */
export async function measureFreshness(options: FreshnessOptions, say: Say): Promise<readonly Finding[]> {
  const { tenants, perSecond, seconds } = options;
  const world = await World.start({ ...NO_SETTLING, SIMULATOR_QUOTA: String(QUOTA) });
  try {
    const pipeline = world.pipeline();
    // Its own webhook brings it every event; it shall cost the machine no readings.
    await pipeline.ask('POST', '/v1/tenants/demo/pause', { reason: 'not part of the benchmark' });
    const names = Array.from({ length: tenants }, (_, n) => `fresh-${n}`);
    const enrolled = await enroll(world, names);
    const { databaseUrl } = world.places();
    const end = performance.now() + ALL_PARKED_MS;
    while ((await parkedOf(databaseUrl, names)) < tenants && performance.now() < end) await sleep(500);
    say(`${tenants} tenants, ${await parkedOf(databaseUrl, names)} of them parked`);

    const feeder = new Feeder(pipeline, enrolled);
    await feeder.start();
    const since = new Date();
    const order = { count: perSecond * seconds, ratePerSecond: perSecond, conversations: 3 * tenants };
    await pipeline.control('POST', '/simulator/emit', { ...order, wait: false }, z.unknown());
    let parked = 0;
    for (let look = 0; look < seconds; look += 1) {
      await sleep(1_000);
      parked += (await parkedOf(databaseUrl, names)) / seconds;
    }
    await sleep(SETTLE_MS);
    await feeder.stop();
    const { ms, waiting } = await freshnessOf(databaseUrl, names, since);
    say(`${ms.length} events stored, ${waiting} not, ${feeder.refused.length} refused`);
    if (ms.length < feeder.posted * 0.99) throw new Error(`only ${ms.length} of ${feeder.posted} events are stored`);
    const spread = [0.5, 0.9, 0.95, 0.99, 1].map((part) => `${part}: ${Math.round(quantile(ms, part))}`).join(', ');
    say(spread);
    const how = `${ms.length} events from accepted to stored, ${tenants} tenants, ${perSecond} events a second together, settle off; ${Math.round(parked)} of the tenants were parked on average`;
    return [
      { figure: figure('freshness_p50_ms', quantile(ms, 0.5), 'ms', 'lower', 300), how },
      {
        figure: figure('freshness_p99_ms', quantile(ms, 0.99), 'ms', 'lower', 2_000),
        how: `the same events; the slowest took ${Math.round(quantile(ms, 1))} ms`,
      },
    ];
  } finally {
    await world.end();
  }
}
