import type { QuotaSnapshot } from '../../gladly/quota.ts';
import type { Db } from '../../store/db.ts';
import { noteDrains } from '../../store/drains.ts';
import { recordDrift } from '../../store/drift.ts';
import { eventCountsOf } from '../../store/ledger/counters.ts';
import { addMeasurements } from '../../store/measurements.ts';
import { NOTE_IDLE_MS } from './limits.ts';

/** Times that are kept for one note, at most: with more, some are as good as all. */
const SAMPLES = 2_000;

/** What a note says besides what was counted. */
export interface Seen {
  /** When the queue was last seen empty. */
  readonly queueEmptyAt: Date | null;
  /** `none` once a reading has worked, `unknown` before that. */
  readonly problemCode: string;
  readonly quota: QuotaSnapshot | null;
}

interface Counted {
  readonly extracted: number;
  readonly freshnessMs: readonly number[];
  readonly drift: ReadonlyMap<string, number>;
}

interface Note {
  readonly seen: Seen;
  readonly counted: Counted | null;
}

/** What one drain leaves for status, charts and alerts. */
export class Observer {
  readonly tenantId: string;
  readonly fence: number;
  readonly #seen: () => Seen;
  #extracted = 0;
  #freshnessMs: number[] = [];
  #drift = new Map<string, number>();
  #changed = true;
  #notedAt = Number.NEGATIVE_INFINITY;
  #problemCode = '';
  /** Events that wait in the ledger, when they were last counted; null: not yet. */
  waiting: number | null = null;

  constructor({ tenantId, fence }: { readonly tenantId: string; readonly fence: number }, seen: () => Seen) {
    this.tenantId = tenantId;
    this.fence = fence;
    this.#seen = seen;
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

  /** What is new since the last note; null when there is nothing, and somebody who looks can see that the drain lives. */
  take(now: number): Note | null {
    const seen = this.#seen();
    if (!this.#changed && seen.problemCode === this.#problemCode && now - this.#notedAt < NOTE_IDLE_MS) return null;
    const counted = this.#changed
      ? { extracted: this.#extracted, freshnessMs: this.#freshnessMs, drift: this.#drift }
      : null;
    this.#extracted = 0;
    this.#freshnessMs = [];
    this.#drift = new Map();
    this.#changed = false;
    this.#notedAt = now;
    this.#problemCode = seen.problemCode;
    return { seen, counted };
  }

  /** It could not be written: it is part of the next one. */
  giveBack({ counted }: Note): void {
    this.#notedAt = Number.NEGATIVE_INFINITY;
    if (counted === null) return;
    this.#extracted += counted.extracted;
    this.#freshnessMs = [...counted.freshnessMs, ...this.#freshnessMs].slice(0, SAMPLES);
    for (const [what, count] of counted.drift) this.#drift.set(what, (this.#drift.get(what) ?? 0) + count);
    this.#changed = true;
  }
}

/** Writes the notes of all drains of a worker together, every few seconds and never once an event. */
export class Notes {
  readonly #db: Db;
  readonly #observers = new Set<Observer>();
  #writing: Promise<void> | null = null;

  constructor(db: Db) {
    this.#db = db;
  }

  /** From now on `write` writes of it, until `writeLast`. */
  add(observer: Observer): void {
    this.#observers.add(observer);
  }

  /** Never throws: what could not be written goes into the next one. While one is being written there is no second one. */
  write(): Promise<void> {
    this.#writing ??= this.#write([...this.#observers]).finally(() => {
      this.#writing = null;
    });
    return this.#writing;
  }

  /** The drain has ended, or is about to: all that is known of it, and not before what is being written. */
  async writeNow(observer: Observer): Promise<void> {
    await this.#writing;
    await this.#write([observer]);
  }

  /** `writeNow`, and no more of it. */
  async writeLast(observer: Observer): Promise<void> {
    this.#observers.delete(observer);
    await this.writeNow(observer);
  }

  async #write(observers: readonly Observer[]): Promise<void> {
    const at = new Date();
    const taken = observers.flatMap((observer) => {
      const note = observer.take(performance.now());
      return note === null ? [] : [{ observer, note }];
    });
    if (taken.length === 0) return;
    try {
      const stale = new Set(
        await noteDrains(
          this.#db,
          taken.map(({ observer: { tenantId, fence }, note: { seen } }) => ({
            tenantId,
            fence,
            problemCode: seen.problemCode,
            lastActivityAt: at,
            queueEmptyAt: seen.queueEmptyAt,
            quota: seen.quota && noted(seen.quota, at),
          })),
        ),
      );
      await this.#measure(
        taken.flatMap(({ observer, note: { counted } }) =>
          counted === null || stale.has(observer.tenantId) ? [] : [{ observer, counted }],
        ),
        at,
      );
    } catch {
      for (const { observer, note } of taken) observer.giveBack(note);
    }
  }

  async #measure(
    changed: readonly { readonly observer: Observer; readonly counted: Counted }[],
    at: Date,
  ): Promise<void> {
    if (changed.length === 0) return;
    const counts = await eventCountsOf(
      this.#db,
      changed.map(({ observer: { tenantId } }) => tenantId),
    );
    const measured = changed.flatMap(({ observer, counted: { extracted, freshnessMs } }) => {
      const waiting = counts.get(observer.tenantId)?.waiting;
      if (waiting === undefined) return [];
      observer.waiting = waiting;
      return [{ tenantId: observer.tenantId, at, extracted, waiting, freshnessMs }];
    });
    const drifted = changed.filter(({ counted: { drift } }) => drift.size > 0);
    if (drifted.length === 0) return await addMeasurements(this.#db, measured);
    await this.#db.transaction(async (tx) => {
      for (const { observer, counted } of drifted) await recordDrift(tx, observer.tenantId, counted.drift, at);
      await addMeasurements(tx, measured);
    });
  }
}

const noted = ({ limit, allowed, usedLastSecond: used, rivals }: QuotaSnapshot, at: Date) => ({
  limit,
  allowed,
  used,
  rivals,
  at,
});
