import { describe, expect, test } from 'vitest';
import { makePlan } from '../../../chaos/plan.ts';

const options = { seed: 'a', kills: 50, lengthMs: 500_000 };

describe('the plan of a chaos run', () => {
  test('is the same for the same seed, and another for another', () => {
    expect(makePlan(options)).toEqual(makePlan(options));
    expect(makePlan(options)).not.toEqual(makePlan({ ...options, seed: 'b' }));
  });

  test('kills each part equally often, in an order that is not that of the list', () => {
    const parts = makePlan(options).flatMap((happening) => (happening.kind === 'kill' ? [happening.part] : []));
    const counts = Object.groupBy(parts, (part) => part);
    expect(Object.values(counts).map((list) => list.length)).toEqual([10, 10, 10, 10, 10]);
    expect(
      new Set(
        parts
          .slice(0, 10)
          .join()
          .match(/[a-z]+,[a-z]+/g),
      ).size,
    ).toBeGreaterThan(2);
  });

  test('happens while events are sent, in the order of time, with faults, pauses and repetitions in between', () => {
    const plan = makePlan(options);
    const times = plan.map(({ atMs }) => atMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(Math.min(...times)).toBeGreaterThan(0);
    expect(Math.max(...times)).toBeLessThan(options.lengthMs);
    expect(new Set(plan.map(({ kind }) => kind))).toEqual(new Set(['kill', 'fault', 'pause', 'resend']));
  });
});
