import type { Db } from '../../store/db.ts';
import { takeOrders } from '../../store/drains.ts';
import { awakePerWorker, noteWorker, removeWorker } from '../../store/workers.ts';
import type { Logger } from '../../telemetry/log.ts';
import { WORKER_NOTE_MS } from '../../tenants/liveness.ts';
import type { Awake } from './awake.ts';
import { NOTE_MS, ORDERS_MS } from './limits.ts';
import type { Notes } from './observer.ts';

export interface KeeperDeps {
  readonly db: Db;
  readonly awake: Awake;
  readonly notes: Notes;
  /** Name of this process (table `workers`). */
  readonly worker: string;
  readonly log: Logger;
}

/** More than its share by so much, and by one drain at least, is too much: below that they would be passed around. */
const TOLERANCE = 0.05;
/** Of its drains a worker hands over so many at a time: those that took a thousand of them at once would be busy with that alone. */
const HANDED_OVER = 0.25;

/**
 * How many of its `mine` drains a worker is to hand over, given how many each worker has, itself among them. Who takes them is left to chance, so it takes
 * some looks until all have their share.
 */
export function tooManyOf(mine: number, all: readonly number[]): number {
  if (all.length < 2) return 0;
  const share = all.reduce((sum, one) => sum + one, 0) / all.length;
  const excess = mine - Math.ceil(share);
  if (mine <= share + Math.max(1, share * TOLERANCE)) return 0;
  return Math.min(excess, Math.ceil(mine * HANDED_OVER));
}

/** What a worker does for all its drains together, with a statement each: passes on what was ordered of them, writes their notes, takes no more than its share. */
export function keepDrains({ db, awake, notes, worker, log }: KeeperDeps): { readonly stop: () => void } {
  const obey = async (): Promise<void> => {
    if (awake.size === 0) return;
    for (const { tenantId, what } of await takeOrders(db, worker)) {
      for (const drain of awake.of(tenantId)) drain[what]();
    }
  };
  const share = async (): Promise<void> => {
    // One that ends takes no share: others would hand drains over for it.
    if (awake.isLeaving) return await removeWorker(db, worker);
    await noteWorker(db, worker, awake.size);
    awake.handOver(tooManyOf(awake.size, await awakePerWorker(db)));
  };
  const timers = [
    every(ORDERS_MS, obey, (error) =>
      log.warn({ event: 'drains.orders_not_read', err: error }, 'drains: what was ordered could not be read'),
    ),
    every(
      NOTE_MS,
      () => notes.write(),
      () => undefined,
    ),
    every(WORKER_NOTE_MS, share, (error) =>
      log.warn({ event: 'worker.not_noted', err: error }, 'worker: cannot be noted'),
    ),
  ];
  return {
    stop: () => {
      for (const timer of timers) clearInterval(timer);
    },
  };
}

/** Calls `act` now and every so many ms; while one call lasts there is no second one. */
function every(ms: number, act: () => Promise<void>, failed: (error: unknown) => void): NodeJS.Timeout {
  let isRunning = false;
  const tick = (): void => {
    if (isRunning) return;
    isRunning = true;
    act()
      .catch(failed)
      .finally(() => {
        isRunning = false;
      });
  };
  tick();
  return setInterval(tick, ms);
}
