import { setTimeout as sleep } from 'node:timers/promises';
import { openDb } from '../../src/store/db.ts';
import { figure } from '../support/figures.ts';
import { historyEvents } from '../support/history.ts';
import { enroll } from '../support/many-tenants.ts';
import { inWords } from '../support/processor-time.ts';
import type { Finding, Say } from '../support/report.ts';
import { World } from '../support/world.ts';

export interface IdleOptions {
  /** How often a parked tenant is looked at here. */
  readonly lookMs: number;
  readonly looks: number;
}

const DAY_MS = 24 * 3_600_000;
/** PARKED_LOOK_MS of src/config.ts. */
const REAL_LOOK_MS = 12 * 3_600_000;
/** A drain that finds nothing, and its last look: PARK_AFTER_MS here, and one receive that waits a second. */
const PARK_AFTER_MS = 200;
const QUIET_MS = 60_000;
/** What a workflow that polls every 20 s from within writes (temporal.md: 6 events a poll). */
const POLLING = 25_920;

/** History events of one look at a parked tenant, and of none: so often is looked in a day. */
export async function measureIdleness({ lookMs, looks }: IdleOptions, say: Say): Promise<readonly Finding[]> {
  const world = await World.start({ PARK_AFTER_MS: String(PARK_AFTER_MS) });
  try {
    await enroll(world, ['asleep']);
    await enroll(world, ['looking'], { env: { PARKED_LOOK_MS: String(lookMs) } });
    await sleep(15_000);
    const [asleepBefore, before] = [await historyEvents(world, 'asleep'), await historyEvents(world, 'looking')];
    const time = world.processorTime();
    const drainsBefore = await drains(world, 'looking');
    await sleep(Math.max(QUIET_MS, looks * (lookMs + PARK_AFTER_MS + 1_500)));
    const asleep = (await historyEvents(world, 'asleep')) - asleepBefore;
    const [events, looked] = [
      (await historyEvents(world, 'looking')) - before,
      (await drains(world, 'looking')) - drainsBefore,
    ];
    const words = inWords(time.stop(), looked);
    const perLook = events / looked;
    const perDay = perLook * (DAY_MS / REAL_LOOK_MS) + asleep * (DAY_MS / QUIET_MS);
    say(`${events} history events for ${looked} looks; ${asleep} for a parked tenant in ${QUIET_MS / 1_000} s`);
    return [
      {
        figure: figure('idle_events_per_day', perDay, 'events', 'lower', 30),
        how: `${perLook.toFixed(1)} history events a look (${looked} looks, made every ${lookMs / 1_000} s for this), two looks a day, and ${asleep} in a minute between them; reckoned, not waited for. ${POLLING} with a poll every 20 s in the workflow. The sweep is one workflow for all tenants and is not in it. Processor time meanwhile, each look being an event: ${words}`,
      },
    ];
  } finally {
    await world.end();
  }
}

async function drains(world: World, tenantId: string): Promise<number> {
  const db = openDb(world.places().databaseUrl, { max: 1, name: 'bench' });
  try {
    const { rows } = await db.query<{ fence: unknown }>('SELECT fence FROM drains WHERE tenant_id = $1', [tenantId]);
    return Number(rows[0]?.fence);
  } finally {
    await db.close();
  }
}
