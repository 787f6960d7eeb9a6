import { type Clock, systemClock, type Timer } from '../../contracts/clock.ts';
import type { IngestLog } from './ports.ts';

/** From the end of one write to the next one, at least: 20 a second are little for Postgres, and 50 ms are little in a freshness of 300. */
const GAP_MS = 50;
/** An item that is not urgent waits this long for others. */
const DELAY_MS = 1_000;
/** Longest wait after writes that failed; the first is twice the gap, each further one twice the one before. */
const MAX_RETRY_MS = 5_000;

export interface CollectorOptions<Item> {
  /** Names the items in the log, in the plural. */
  readonly name: string;
  /** Writes what was collected. What it rejects is written again, whole, so writing an item twice must do no harm. */
  readonly write: (items: readonly Item[]) => Promise<void>;
  /** Adds `item` to `known`, which has the same key. Without it, the item that came first stands for both. */
  readonly merge?: (known: Item, item: Item) => void;
  readonly log: IngestLog;
  readonly clock?: Clock | undefined;
}

/**
 * Gathers items and writes them in batches, one write at a time, so that no request waits for it. An urgent item is written at once, or
 * as soon as the write under way and the gap after it are over. Items of one key are merged, so memory is bounded by the number of keys.
 */
export class Collector<Item> {
  readonly #options: CollectorOptions<Item>;
  readonly #clock: Clock;
  #items = new Map<string, Item>();
  #isUrgent = false;
  #writing: Promise<void> | null = null;
  /** A write is under way or has just ended. */
  #isPaused = false;
  #timer: Timer | null = null;
  #failures = 0;
  #isClosed = false;

  constructor(options: CollectorOptions<Item>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  add(key: string, item: Item, isUrgent: boolean): void {
    this.#put(key, item);
    if (isUrgent) this.#isUrgent = true;
    if (!this.#isPaused) this.#schedule();
  }

  /** Writes what is left, once, and sets no timer any more. Resolves even if that write fails. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#writing;
    this.#write();
    await this.#writing;
  }

  #put(key: string, item: Item): void {
    const known = this.#items.get(key);
    if (known === undefined) this.#items.set(key, item);
    else this.#options.merge?.(known, item);
  }

  #schedule(): void {
    if (this.#isClosed || this.#items.size === 0) return;
    if (this.#isUrgent) this.#write();
    else this.#timer ??= this.#clock.setTimeout(() => this.#write(), DELAY_MS);
  }

  #write(): void {
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#items.size === 0) return;
    const items = this.#items;
    this.#items = new Map();
    this.#isUrgent = false;
    this.#isPaused = true;
    this.#writing = this.#options.write([...items.values()]).then(
      () => this.#succeeded(),
      (error: unknown) => this.#failed(error, items),
    );
  }

  #succeeded(): void {
    const { log, name } = this.#options;
    if (this.#failures > 0)
      log.info({ event: 'collector.recovered', failures: this.#failures }, `${name}: written again`);
    this.#failures = 0;
    this.#pause();
  }

  #failed(error: unknown, items: ReadonlyMap<string, Item>): void {
    const { log, name } = this.#options;
    const fields = { event: 'collector.write_failed', err: error, items: items.size };
    if (this.#failures === 0) log.warn(fields, `${name}: write failed, trying again`);
    this.#failures += 1;
    for (const [key, item] of items) this.#put(key, item);
    this.#isUrgent = true;
    this.#pause();
  }

  #pause(): void {
    this.#writing = null;
    if (this.#isClosed) return;
    this.#timer = this.#clock.setTimeout(
      () => {
        this.#timer = null;
        this.#isPaused = false;
        this.#schedule();
      },
      Math.min(GAP_MS * 2 ** this.#failures, MAX_RETRY_MS),
    );
  }
}
