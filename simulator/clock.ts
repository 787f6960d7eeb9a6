/**
 * Gladly's clock, as the simulator keeps it. With factor 1 and no offset it is this machine's; with factor 60 an hour
 * of resends passes in a minute. Timestamps, resend times, the 24 hours of the events API and the `Date` header all
 * follow it, so they stay consistent with each other. Not scaled: the 15 s a receiver has to answer, and the quota's
 * second, because both measure real work on a real network.
 */
export type Clock = {
  /** Simulated time, in milliseconds since 1970. Never goes back. */
  now(): number;
  factor(): number;
  /** From now on, simulated time passes `factor` times as fast as real time. */
  setFactor(factor: number): void;
  /** Real milliseconds until a simulated time; 0 when it has passed. */
  realMsUntil(simulatedAt: number): number;
  /** What a restart needs to go on from here. */
  anchor(): ClockAnchor;
};

export type ClockAnchor = { simulatedAt: number; realAt: number; factor: number };

/** @param anchor where an earlier run left off: time went on while the simulator was down, as it does at Gladly. */
export function createClock(anchor: ClockAnchor): Clock {
  let current = anchor;
  let latest = 0;

  function now(): number {
    const elapsed = Math.max(0, Date.now() - current.realAt);
    latest = Math.max(latest, Math.floor(current.simulatedAt + elapsed * current.factor));
    return latest;
  }

  return {
    now,
    factor: () => current.factor,
    setFactor: (factor) => {
      current = { simulatedAt: now(), realAt: Date.now(), factor };
    },
    realMsUntil: (simulatedAt) => Math.max(0, Math.ceil((simulatedAt - now()) / current.factor)),
    anchor: () => current,
  };
}
