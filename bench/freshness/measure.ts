import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { untilStored } from '../support/arrivals.ts';
import { Feeder } from '../support/feeder.ts';
import { figure } from '../support/figures.ts';
import { parkedOf, untilAllBegan } from '../support/freshness-of.ts';
import { enroll } from '../support/many-tenants.ts';
import { inWords } from '../support/processor-time.ts';
import { type Finding, quantile, type Say } from '../support/report.ts';
import { silenceDemo } from '../support/silence.ts';
import { NO_SETTLING, World } from '../support/world.ts';

export interface FreshnessOptions {
  readonly tenants: number;
  readonly perSecond: number;
  readonly seconds: number;
}

/** Tenants have an organization each, and here one together: so the one has their quotas together. */
const QUOTA = 500;
const PATIENCE_MS = 30_000;
const ALL_BEGIN_MS = 120_000;

/** Events at a steady pace over many tenants, most of which are parked when theirs comes. */
export async function measureFreshness(options: FreshnessOptions, say: Say): Promise<readonly Finding[]> {
  const { tenants, perSecond, seconds } = options;
  const world = await World.start({ ...NO_SETTLING, SIMULATOR_QUOTA: String(QUOTA) });
  try {
    const pipeline = world.pipeline();
    await silenceDemo(world);
    const names = Array.from({ length: tenants }, (_, n) => `fresh-${n}`);
    const enrolled = await enroll(world, names);
    const { databaseUrl } = world.places();
    const began = await untilAllBegan(databaseUrl, names, ALL_BEGIN_MS);
    say(`${tenants} tenants, ${began} of them at work once, ${await parkedOf(databaseUrl, names)} parked`);

    const feeder = new Feeder(pipeline, enrolled);
    await feeder.start();
    const time = world.processorTime();
    const order = { count: perSecond * seconds, ratePerSecond: perSecond, conversations: 3 * tenants };
    await pipeline.control('POST', '/simulator/emit', { ...order, wait: false }, z.unknown());
    let parked = 0;
    for (let look = 0; look < seconds; look += 1) {
      await sleep(1_000);
      parked += (await parkedOf(databaseUrl, names)) / seconds;
    }
    const usage = time.stop();
    const { ms, stored, refused } = (await untilStored(feeder, databaseUrl, enrolled, PATIENCE_MS)).of();
    say(`${stored} of ${ms.length} accepted events stored, ${refused} refused`);
    const spread = [0.5, 0.9, 0.95, 0.99, 1].map((part) => `${part}: ${Math.round(quantile(ms, part))}`).join(', ');
    say(spread);
    const words = inWords(usage, ms.length);
    say(words);
    const how = `${ms.length} events from accepted to stored, ${tenants} tenants, ${perSecond} events a second together, settle off; ${Math.round(parked)} of the tenants were parked on average. Processor time meanwhile: ${words}`;
    return [
      { figure: figure('freshness_p50_ms', quantile(ms, 0.5), 'ms', 'lower', 60), how },
      {
        figure: figure('freshness_p99_ms', quantile(ms, 0.99), 'ms', 'lower', 400),
        how: `the same events; the slowest took ${Math.round(quantile(ms, 1))} ms, and ${ms.length - stored} were not stored ${PATIENCE_MS / 1_000} s after the last`,
      },
    ];
  } finally {
    await world.end();
  }
}
