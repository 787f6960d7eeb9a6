import { type Clock, systemClock, type Timer } from '../../contracts/clock.ts';
import type { IngestLog } from './ports.ts';

/** Least time from the end of one write to the next: at most 20 writes a second, and 50 ms of the 300 ms from a delivery to its extraction. */
const GAP_MS = 50;
/** An item that is not urgent waits this long for others. */
const DELAY_MS = 1_000;
/** Longest wait after a write that failed. The first wait is twice the gap, and it doubles with each further failure. */
const MAX_RETRY_MS = 5_000;

export interface CollectorOptions<Item> {
  /** The name of the items in log messages, in the plural. */
  readonly name: string;
  /** Writes a batch. After a rejection all items of the batch are kept and written again. */
  readonly write: (items: readonly Item[]) => Promise<void>;
  /** Adds `item` to `known`, which has the same key. Without `merge` the first item of a key is kept and later ones are dropped. */
  readonly merge?: (known: Item, item: Item) => void;
  readonly log: IngestLog;
  readonly clock?: Clock | undefined;
}

/**
 * Gathers items and writes them in batches, one write at a time, so that no request waits for it. An urgent item is written immediately, or
 * as soon as the write under way and the gap after it are over. Items of one key are merged, so memory is bounded by the number of keys.
 */
export class Collector<Item> {
  readonly #options: CollectorOptions<Item>;
  readonly #clock: Clock;
  #items = new Map<string, Item>();
  #isUrgent = false;
  #writing: Promise<void> | null = null;
  /** True during a write and the gap after it. */
  #isPaused = false;
  #timer: Timer | null = null;
  #failures = 0;
  #isClosed = false;

  constructor(options: CollectorOptions<Item>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Keeps the item for the next write. Does not throw, and does not wait for the write. */
  add(key: string, item: Item, isUrgent: boolean): void {
    this.#put(key, item);
    if (isUrgent) this.#isUrgent = true;
    if (!this.#isPaused) this.#schedule();
  }

  /** Waits for the write under way, writes once what is left, and sets no more timers. Resolves even if that write fails. */
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
