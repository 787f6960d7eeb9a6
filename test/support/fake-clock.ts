import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../src/contracts/clock.ts';

/** Turns of the event loop in which promises and `setImmediate` calls settle that follow from each other. The code under test chains two. */
const TURNS = 5;

interface FakeTimer {
  readonly at: number;
  readonly run: () => void;
}

/** A clock at 0 ms that moves only by `advance`. */
export class FakeClock implements Clock {
  readonly #timers = new Map<number, FakeTimer>();
  #now = 0;
  #lastId = 0;

  now(): number {
    return this.#now;
  }

  setTimeout(run: () => void, ms: number): number {
    this.#lastId += 1;
    this.#timers.set(this.#lastId, { at: this.#now + Math.max(0, ms), run });
    return this.#lastId;
  }

  clearTimeout(id: number): void {
    this.#timers.delete(id);
  }

  /** Timers that are set: what would keep a process alive. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Moves on by `ms`, running each timer at its time, earliest first; promises and immediates settle before and after each. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await this.settle();
    for (let next = this.#earliest(); next !== null && next.at <= end; next = this.#earliest()) {
      this.#timers.delete(next.id);
      this.#now = next.at;
      next.run();
      await this.settle();
    }
    this.#now = end;
  }

  /** Lets promises and immediates settle; no timer runs. */
  async settle(): Promise<void> {
    for (let n = 0; n < TURNS; n += 1) await turn();
  }

  #earliest(): (FakeTimer & { readonly id: number }) | null {
    let found: (FakeTimer & { readonly id: number }) | null = null;
    // In the order in which they were set, so of two that are due at the same time the older one runs first.
    for (const [id, timer] of this.#timers) if (found === null || timer.at < found.at) found = { ...timer, id };
    return found;
  }
}
