import { type Clock, systemClock } from '../../contracts/clock.ts';

/** `closed`: every call is allowed. `open`: none is. `half_open`: one call is under way, and its result closes or reopens the breaker. */
export type BreakerState = 'closed' | 'open' | 'half_open';

export interface BreakerSettings {
  /** Consecutive failures that open it. */
  readonly failures: number;
  /** Milliseconds from opening to the first try; doubled after each try that failed, up to `maxWaitMs`. */
  readonly waitMs: number;
  readonly maxWaitMs: number;
}

const SETTINGS: BreakerSettings = {
  // One failed message is no outage. A failed batch of ten counts ten times, on purpose: ten deliveries waited for it.
  failures: 5,
  // Deliveries go to the ledger meanwhile, so SQS need not be tried more often; after a short outage it is in use again within 2 s.
  waitMs: 500,
  maxWaitMs: 5_000,
};

/** Circuit breaker: after consecutive failures of SQS it tells callers not to call, except for one try after each wait. */
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

  /** True when the caller may call SQS. It must then report the result by `succeeded`, `failed` or `undecided`. */
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
    // Failures of calls that began before it opened do not put off the next try.
    if (this.#state === 'open') return;
    const again = this.#state === 'half_open';
    this.#waitMs = again ? Math.min(this.#waitMs * 2, this.#settings.maxWaitMs) : this.#settings.waitMs;
    this.#nextTry = this.#clock.now() + this.#waitMs;
    this.#enter('open');
  }

  /** The call was not made, or says nothing about SQS: the next one decides. */
  undecided(): void {
    if (this.#state === 'half_open') this.#enter('open');
  }

  #enter(state: BreakerState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#onChange(state);
  }
}
