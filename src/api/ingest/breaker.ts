import { type Clock, systemClock } from '../../contracts/clock.ts';

/** `closed`: all is well. `open`: nothing is tried. `half_open`: one is tried, and decides. */
export type BreakerState = 'closed' | 'open' | 'half_open';

export interface BreakerSettings {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** First and longest time between tries. */
  readonly waitMs: number;
  readonly maxWaitMs: number;
}

const SETTINGS: BreakerSettings = {
  // One lost call is no outage; a batch of ten that fails counts ten times, which is meant: it is ten deliveries kept waiting.
  failures: 5,
  // Deliveries have the ledger meanwhile, so there is no hurry; after a short outage SQS is back in use within a second or two.
  waitMs: 500,
  maxWaitMs: 5_000,
};

/** Keeps deliveries from waiting for an SQS that does not answer. */
export class Breaker {
  readonly #settings: BreakerSettings;
  readonly #onChange: (state: BreakerState) => void;
  readonly #clock: Pick<Clock, 'now'>;
  #state: BreakerState = 'closed';
  #failures = 0;
  #waitMs: number;
  #nextTry = 0;

  constructor(
    onChange: (state: BreakerState) => void,
    given: Partial<BreakerSettings> = {},
    clock: Pick<Clock, 'now'> = systemClock,
  ) {
    this.#settings = { ...SETTINGS, ...given };
    this.#onChange = onChange;
    this.#clock = clock;
    this.#waitMs = this.#settings.waitMs;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** True when the caller may try, and must then say how it went. */
  mayTry(): boolean {
    if (this.#state === 'closed') return true;
    if (this.#state === 'half_open' || this.#clock.now() < this.#nextTry) return false;
    this.#enter('half_open');
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#waitMs = this.#settings.waitMs;
    this.#enter('closed');
  }

  failed(): void {
    this.#failures += 1;
    if (this.#state === 'closed' && this.#failures < this.#settings.failures) return;
    // Late failures of calls that began before it opened change nothing.
    if (this.#state === 'open') return;
    const again = this.#state === 'half_open';
    this.#waitMs = again ? Math.min(this.#waitMs * 2, this.#settings.maxWaitMs) : this.#settings.waitMs;
    this.#nextTry = this.#clock.now() + this.#waitMs;
    this.#enter('open');
  }

  /** The try never came to SQS: the next one decides. */
  undecided(): void {
    if (this.#state === 'half_open') this.#enter('open');
  }

  #enter(state: BreakerState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#onChange(state);
  }
}
