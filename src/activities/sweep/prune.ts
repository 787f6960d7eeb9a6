import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { SweepActivities } from '../../contracts/sweep.ts';
import type { Db } from '../../store/db.ts';
import { trimEvents } from '../../store/ledger/trim.ts';
import { vacuum } from '../../store/maintenance.ts';
import { trimMeasurements } from '../../store/measurements.ts';
import { pruneQuotaClaims } from '../../store/quota-claims.ts';
import { pruneWorkers } from '../../store/workers.ts';

export interface PruneDeps {
  readonly db: Db;
  /** Events that were done so long ago are removed. Longer than SQS keeps messages: the ledger is what recognises a second copy. */
  readonly keepDoneMs: number;
  /** The database has no autovacuum of its own (PGlite). */
  readonly vacuums: boolean;
  readonly now: () => Date;
}

/** Rows a step: it takes some tens of milliseconds, in which other transactions may wait. */
const STEP = 1_000;
/** Pause between steps, in ms, so that other transactions proceed. */
const BREATH_MS = 50;
/** Steps a sweep; the next sweep goes on. 57 million rows a day of each kind: 10,000 tenants that are measured every minute make 14 million. */
const STEPS = 200;
const KEEP_MEASUREMENTS_MS = 90 * 86_400_000;

export function createPrune({ db, keepDoneMs, vacuums, now }: PruneDeps): SweepActivities['prune'] {
  return async () => {
    const trimmed = await inSteps((limit) => trimEvents(db, { olderThan: before(now(), keepDoneMs), limit }));
    await inSteps((limit) => trimMeasurements(db, { olderThan: before(now(), KEEP_MEASUREMENTS_MS), limit }));
    await pruneWorkers(db);
    await pruneQuotaClaims(db);
    if (vacuums) await vacuum(db);
    return { trimmed };
  };
}

/** Removes step by step until one finds less than it may; resolves with how much was removed. */
async function inSteps(remove: (limit: number) => Promise<number>): Promise<number> {
  let removed = 0;
  for (let step = 0; step < STEPS; step += 1) {
    Context.current().heartbeat();
    const some = await remove(STEP);
    removed += some;
    if (some < STEP) break;
    await sleep(BREATH_MS);
  }
  return removed;
}

const before = (now: Date, ms: number): Date => new Date(now.getTime() - ms);
