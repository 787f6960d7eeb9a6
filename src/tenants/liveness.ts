import { setTimeout as delay } from 'node:timers/promises';
import type { Db } from '../store/db.ts';
import { signsOfLife } from '../store/workers.ts';

/**
 * How current the states are that the workflows have written. They change only while Temporal answers and a worker is at work, so that is the
 * time as of which they are true.
 */
export interface Liveness {
  /** The last time at which both were seen to be well. Null: not since this process started. */
  readonly asOf: Date | null;
  /** What is out; null when `asOf` is a moment ago. */
  readonly out: 'temporal' | 'worker' | null;
  /** Since when no tenant was looked at as often as it should be; null while all is well. */
  readonly unsweptSince: Date | null;
}

/** Tells whether Temporal answers, without being waited for. */
export interface TemporalWatch {
  /** The last time at which Temporal answered; null: not since the start. */
  readonly answeredAt: Date | null;
  stop(): void;
}

/** A healthy Temporal answers within milliseconds, so this many are not a slow one. */
const PROBE_DEADLINE_MS = 2_000;
const PROBE_EVERY_MS = 2_000;
/** Workers say every WORKER_NOTE_MS that they are there; two that were missed may be a busy machine. */
export const WORKER_NOTE_MS = 5_000;
const CURRENT_MS = 12_000;
/** A sweep is due every 5 minutes (SWEEP_MS), and one that stands still is ended after 20 (activities/sweep/schedule.ts). */
const UNSWEPT_MS = 20 * 60_000;

/** Asks Temporal again and again, for all pages and requests of this process. `probe` rejects when there is no answer within the deadline, in ms. */
export function watchTemporal(probe: (deadlineMs: number) => Promise<unknown>): TemporalWatch {
  const stopped = new AbortController();
  let answeredAt: Date | null = null;
  const watch = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const asked = new Date();
      await probe(PROBE_DEADLINE_MS).then(
        () => {
          answeredAt = asked;
        },
        () => undefined,
      );
      await delay(PROBE_EVERY_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  };
  void watch();
  return {
    get answeredAt() {
      return answeredAt;
    },
    stop: () => stopped.abort(),
  };
}

/** Asks Postgres when a worker was last seen. Throws StoreError. */
export async function liveness(
  db: Db,
  temporal: Pick<TemporalWatch, 'answeredAt'>,
  now = new Date(),
): Promise<Liveness> {
  const { workerMs, sweptMs } = await signsOfLife(db);
  const workerAt = workerMs === null ? null : new Date(now.getTime() - workerMs);
  const { answeredAt } = temporal;
  const asOf =
    answeredAt === null || workerAt === null ? null : new Date(Math.min(answeredAt.getTime(), workerAt.getTime()));
  const isCurrent = (at: Date | null): boolean => at !== null && now.getTime() - at.getTime() < CURRENT_MS;
  const isUnswept = sweptMs !== null && sweptMs > UNSWEPT_MS;
  return {
    asOf,
    out: !isCurrent(answeredAt) ? 'temporal' : !isCurrent(workerAt) ? 'worker' : null,
    unsweptSince: isUnswept ? new Date(now.getTime() - sweptMs) : null,
  };
}
