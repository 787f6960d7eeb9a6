import { setTimeout as sleep } from 'node:timers/promises';
import { openDb } from '../../src/store/db.ts';
import { figure } from '../support/figures.ts';
import { historyEvents } from '../support/history.ts';
import { enroll } from '../support/many-tenants.ts';
import { inWords } from '../support/processor-time.ts';
import type { Finding, Say } from '../support/report.ts';
import { silenceDemo } from '../support/silence.ts';
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
/** Until the first drain is over. */
const CALM_MS = 15_000;
/** What a workflow that polls every 20 s from within writes (temporal.md: 6 events a poll). */
const POLLING = 25_920;

/** History events of one look at a parked tenant, and of none: so often is looked in a day. */
export async function measureIdleness({ lookMs, looks }: IdleOptions, say: Say): Promise<readonly Finding[]> {
  const asleep = await watch('asleep', {}, QUIET_MS);
  const looking = await watch('looking', { PARKED_LOOK_MS: String(lookMs) }, looks * (lookMs + PARK_AFTER_MS + 1_500));
  if (looking.drains === 0) throw new Error('the parked tenant was not looked at');
  const perLook = looking.events / looking.drains;
  const perDay = perLook * (DAY_MS / REAL_LOOK_MS) + asleep.events * (DAY_MS / QUIET_MS);
  say(
    `${looking.events} history events for ${looking.drains} looks; ${asleep.events} for a parked tenant in ${QUIET_MS / 1_000} s`,
  );
  return [
    {
      figure: figure('idle_events_per_day', perDay, 'events', 'lower', 30),
      how: `${perLook.toFixed(1)} history events a look (${looking.drains} looks, made every ${lookMs / 1_000} s for this), two looks a day, and ${asleep.events} in a minute between them; reckoned, not waited for. ${POLLING} with a poll every 20 s in the workflow. The sweep is one workflow for all tenants and is not in it. Processor time while it was looked at: ${looking.words}; while it was not, in ${QUIET_MS / 1_000} s: ${asleep.words}`,
    },
  ];
}

/** One tenant without events, in a world of its own whose sweep does not run, for so long. */
async function watch(
  tenantId: string,
  env: Readonly<Record<string, string>>,
  ms: number,
): Promise<{ readonly events: number; readonly drains: number; readonly words: string }> {
  const world = await World.start({ ...env, PARK_AFTER_MS: String(PARK_AFTER_MS), SWEEP_MS: String(DAY_MS) });
  try {
    await silenceDemo(world);
    await enroll(world, [tenantId]);
    await sleep(CALM_MS);
    const before = [await historyEvents(world, tenantId), await drains(world, tenantId)] as const;
    const time = world.processorTime();
    await sleep(ms);
    const words = inWords(time.stop());
    return {
      events: (await historyEvents(world, tenantId)) - before[0],
      drains: (await drains(world, tenantId)) - before[1],
      words,
    };
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
