import type { QuotaSnapshot } from '../../gladly/quota.ts';
import type { Db } from '../../store/db.ts';
import { noteDrain } from '../../store/drains.ts';
import { recordDrift } from '../../store/drift.ts';
import { eventCounts } from '../../store/ledger/counters.ts';
import { addMeasurements } from '../../store/measurements.ts';

/** Times that are kept for one note, at most: with more, some are as good as all. */
const SAMPLES = 2_000;

/**
 * What a note says besides what was counted: when the queue was last seen empty, the problem's code (`none` once a reading has worked, `unknown`
 * before that), the quota.
 */
export type Seen = readonly [queueEmptyAt: Date | null, problemCode: string, quota: QuotaSnapshot | null];

/** What a drain leaves for status, charts and alerts: written down every few seconds, never once an event. */
export class Observer {
  readonly #db: Db;
  readonly #tenantId: string;
  readonly #fence: number;
  #extracted = 0;
  #freshnessMs: number[] = [];
  #drift = new Map<string, number>();
  #writing: Promise<void> | null = null;
  #changed = true;

  constructor({ db, tenantId, fence }: { readonly db: Db; readonly tenantId: string; readonly fence: number }) {
    this.#db = db;
    this.#tenantId = tenantId;
    this.#fence = fence;
  }

  /** `freshnessMs`: from accepted until stored, of each event. */
  stored(extracted: number, freshnessMs: readonly number[], drift: readonly string[]): void {
    this.#extracted += extracted;
    this.#freshnessMs.push(...freshnessMs.slice(0, SAMPLES - this.#freshnessMs.length));
    for (const what of drift) this.sawDrift(what);
    this.#changed = true;
  }

  sawDrift(what: string): void {
    this.#drift.set(what, (this.#drift.get(what) ?? 0) + 1);
    this.#changed = true;
  }

  /**
   * Never throws: a note that could not be written is no reason to end a drain, and what it said goes into the next one. While one is being
   * written there is no second one.
   */
  write(...seen: Seen): Promise<void> {
    this.#writing ??= this.#write(seen).finally(() => {
      this.#writing = null;
    });
    return this.#writing;
  }

  /** The note at the end of a drain. One that is being written does not say what was counted since it began. */
  async writeLast(...seen: Seen): Promise<void> {
    await this.#writing;
    await this.write(...seen);
  }

  async #write([queueEmptyAt, problemCode, quota]: Seen): Promise<void> {
    const at = new Date();
    const [extracted, freshnessMs, drift, changed] = [this.#extracted, this.#freshnessMs, this.#drift, this.#changed];
    this.#extracted = 0;
    this.#freshnessMs = [];
    this.#drift = new Map();
    this.#changed = false;
    const view = {
      problemCode,
      lastActivityAt: at,
      queueEmptyAt,
      quota: quota && noted(quota, at),
    };
    try {
      await noteDrain(this.#db, this.#tenantId, this.#fence, view);
      if (changed) {
        const { waiting } = await eventCounts(this.#db, this.#tenantId);
        const measured = [{ tenantId: this.#tenantId, at, extracted, waiting, freshnessMs }];
        if (drift.size === 0) await addMeasurements(this.#db, measured);
        else {
          await this.#db.transaction(async (tx) => {
            await recordDrift(tx, this.#tenantId, drift, at);
            await addMeasurements(tx, measured);
          });
        }
      }
    } catch {
      this.#extracted += extracted;
      this.#freshnessMs = [...freshnessMs, ...this.#freshnessMs].slice(0, SAMPLES);
      for (const [what, count] of drift) this.#drift.set(what, (this.#drift.get(what) ?? 0) + count);
      this.#changed = true;
    }
  }
}

const noted = ({ limit, allowed, usedLastSecond: used, rivals }: QuotaSnapshot, at: Date) => ({
  limit,
  allowed,
  used,
  rivals,
  at,
});
