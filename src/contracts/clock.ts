/** A timer that was set. Opaque: it is only good for `clearTimeout`. */
export type Timer = NodeJS.Timeout | number;

/** The time source of a module. The default is `systemClock`; tests pass one that they move by hand. */
export interface Clock {
  /** Milliseconds since an arbitrary start, never going back. Only differences have a meaning. */
  now(): number;
  /** Calls `run` once after `ms` milliseconds. */
  setTimeout(run: () => void, ms: number): Timer;
  clearTimeout(timer: Timer): void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (timer) => clearTimeout(timer),
};
