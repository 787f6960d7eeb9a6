import { CancellationScope, condition, log, sleep, workflowInfo } from '@temporalio/workflow';
import type { KnownBefore, Projection } from '../../contracts/projection.ts';
import type { TenantId } from '../../contracts/tenant.ts';

/** Options of the local activity that writes: two quick tries within one workflow task, so that no signal waits behind it for long. */
export const WRITE_OPTIONS = {
  startToCloseTimeout: '2 seconds',
  scheduleToCloseTimeout: '4 seconds',
  retry: { initialInterval: '100 milliseconds', maximumAttempts: 2 },
} as const;

/** After a failed write; Postgres is out then, and the task is given back meanwhile. */
const RETRY_MS = 5_000;

/** Keeps what a workflow tells people written in the store. */
export interface Projector<V> {
  /** The state may have changed: writes it if what people see has. */
  changed(): void;
  /** Resolves when all that is to be seen has been written. */
  settled(): Promise<void>;
  /** Resolves when this run has written for the first time, with what an earlier run had written last; null when there was none. */
  readonly before: Promise<V | null>;
}

/**
 * Writes `view()`, and `tuning()` with it, at the start of each run and whenever it has become another one; several changes while a write is under way are one. A write that
 * fails is repeated without end: the view is what people believe. Nothing else of the workflow waits for it, but its end.
 */
export function createProjector<V>(
  tenantId: TenantId,
  view: () => V,
  tuning: () => object,
  write: (projection: Projection<V>) => Promise<KnownBefore<V>>,
): Projector<V> {
  const { runId } = workflowInfo();
  const current = (): string => JSON.stringify({ view: view(), tuning: tuning() });
  let wanted = current();
  let before: (known: V | null) => void = () => undefined;
  const first = new Promise<V | null>((resolve) => {
    before = resolve;
  });
  let isTold = false;
  let written: string | null = null;
  let seq = 0;
  const work = async (): Promise<void> => {
    for (;;) {
      await condition(() => wanted !== written);
      const now = wanted;
      seq += 1;
      try {
        const known = await write({
          tenantId,
          runId,
          seq,
          isTold,
          ...(JSON.parse(now) as Pick<Projection<V>, 'view' | 'tuning'>),
        });
        written = now;
        isTold = true;
        before(known.before);
      } catch (error) {
        log.warn('projection: not written', { event: 'projection.failed', error: String(error) });
        await sleep(RETRY_MS, { summary: 'Writes its state once more' });
      }
    }
  };
  // Cancelled or not, people go on being told.
  void CancellationScope.nonCancellable(work);
  return {
    changed() {
      wanted = current();
    },
    before: first,
    settled: () => condition(() => wanted === written),
  };
}
