/** How much the newest pause between two events counts: a tenant's habits change within a few events. */
const NEWEST = 0.3;
/** Usual pauses that a tenant stays awake for. */
const PAUSES = 3;
/** Of the longest time that a tenant stays awake: the shortest one. */
const LEAST = 0.1;

/** What one drain leaves to the next one; in ms, null: not known. */
export interface KnownPace {
  /** Usual pause between two events. */
  readonly paceMs: number | null;
  /** Since the last event. */
  readonly sinceFoundMs: number | null;
}

/**
 * The pauses between a tenant's events, and how long it pays to stay awake for the next one. To be awake costs a long poll every 20 s and a
 * heartbeat every 22 s; to be woken is reckoned as some minutes of that. So a tenant stays awake for three of its usual pauses, within bounds, and
 * one whose events come further apart than the bound is put to sleep soon. Times are those of performance.now.
 */
export class Pace {
  readonly #mostMs: number;
  #meanMs: number | null;
  #lastAt: number | null;

  /** `mostMs`: the longest that it may stay awake for nothing (PARK_AFTER_MS). */
  constructor(mostMs: number, { paceMs, sinceFoundMs }: KnownPace, now: number) {
    this.#mostMs = mostMs;
    this.#meanMs = paceMs;
    this.#lastAt = sinceFoundMs === null ? null : now - sinceFoundMs;
  }

  /** Something was found. */
  found(now: number): void {
    if (this.#lastAt !== null) {
      // A pause beyond the bound is as good as endless, and must not outweigh many short ones.
      const pause = Math.min(now - this.#lastAt, 2 * this.#mostMs);
      this.#meanMs = this.#meanMs === null ? pause : NEWEST * pause + (1 - NEWEST) * this.#meanMs;
    }
    this.#lastAt = now;
  }

  /** Without an event for so long, in ms, it parks. */
  get patienceMs(): number {
    const [least, most] = [this.#mostMs * LEAST, this.#mostMs];
    if (this.#meanMs === null) return most / 2;
    return this.#meanMs > most ? least : Math.min(Math.max(PAUSES * this.#meanMs, least), most);
  }

  known(now: number): KnownPace {
    return { paceMs: this.#meanMs, sinceFoundMs: this.#lastAt === null ? null : now - this.#lastAt };
  }
}
