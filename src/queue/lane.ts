import type { Timer } from '../contracts/clock.ts';
import { MAX_BATCH_ENTRIES } from './limits.ts';
import type { SendResult } from './sender.ts';

export interface Entry {
  readonly text: string;
  readonly bytes: number;
  /** When `send` was called: milliseconds of the sender's clock. */
  readonly since: number;
  readonly settle: (result: SendResult) => void;
}

/** The messages of one queue that wait for a call, oldest first, and the number of its calls under way. */
export class Lane {
  readonly queueUrl: string;
  readonly #maxBytes: number;
  #waiting: Entry[] = [];
  #bytes = 0;
  calls = 0;
  /** Set while messages wait for others: ends when the oldest has waited `gatherMs`. */
  due: Timer | null = null;
  /** True while the lane is in line for a free call. */
  inLine = false;

  constructor(queueUrl: string, maxBytes: number) {
    this.queueUrl = queueUrl;
    this.#maxBytes = maxBytes;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get oldestSince(): number {
    return this.#waiting[0]?.since ?? Number.POSITIVE_INFINITY;
  }

  get hasFullBatch(): boolean {
    return this.#waiting.length >= MAX_BATCH_ENTRIES || this.#bytes >= this.#maxBytes;
  }

  add(entry: Entry): void {
    this.#waiting.push(entry);
    this.#bytes += entry.bytes;
  }

  takeBatch(): Entry[] {
    let bytes = 0;
    let count = 0;
    for (const entry of this.#waiting) {
      if (count === MAX_BATCH_ENTRIES || (count > 0 && bytes + entry.bytes > this.#maxBytes)) break;
      bytes += entry.bytes;
      count += 1;
    }
    return this.#take(count);
  }

  takeOlderThan(time: number): Entry[] {
    const kept = this.#waiting.findIndex((entry) => entry.since > time);
    return this.#take(kept === -1 ? this.#waiting.length : kept);
  }

  #take(count: number): Entry[] {
    const taken = this.#waiting.splice(0, count);
    for (const entry of taken) this.#bytes -= entry.bytes;
    return taken;
  }
}
