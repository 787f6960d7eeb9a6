import type { Clock } from '../../../src/gladly/clock.ts';

export interface SimulatedClock extends Clock {
  /** Runs every timer up to `until`, in order, and what their promises lead to. */
  runUntil(until: number): Promise<void>;
  /** Timers that have not run yet. */
  pending(): number;
}

/** Time that passes only when told. Each timer is `lateMs()` late, as timers are on a busy machine. */
export function simulatedClock(lateMs: () => number = () => 0): SimulatedClock {
  let now = 0;
  const timers = new Map<symbol, { at: number; run: () => void }>();
  const earliest = (): [symbol, { at: number; run: () => void }] | undefined =>
    [...timers].reduce<[symbol, { at: number; run: () => void }] | undefined>(
      (first, it) => (first && first[1].at <= it[1].at ? first : it),
      undefined,
    );
  return {
    now: () => now,
    after: (ms, run) => {
      const id = Symbol('timer');
      timers.set(id, { at: now + ms + lateMs(), run });
      return () => timers.delete(id);
    },
    pending: () => timers.size,
    runUntil: async (until) => {
      for (;;) {
        // What was promised is settled before time goes on.
        await new Promise((resolve) => setImmediate(resolve));
        const next = earliest();
        if (!next || next[1].at > until) break;
        timers.delete(next[0]);
        now = Math.max(now, next[1].at);
        next[1].run();
      }
      now = until;
    },
  };
}

/** A small seeded generator (mulberry32), so that a failing run can be repeated. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
