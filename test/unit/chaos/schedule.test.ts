import { describe, expect, test } from 'vitest';
import { ALL_KINDS, explains, factsOf } from '../../../chaos/hostile/kinds.ts';
import { makeSchedule, type Trouble } from '../../../chaos/hostile/schedule.ts';

const long = { seed: 'a', tenants: 8, lengthMs: 600_000, postgres: true };
const short = { seed: 'ci', tenants: 3, lengthMs: 50_000, postgres: false };

const endOf = ({ atMs, forMs }: Trouble): number => atMs + forMs;

describe('the schedule of a hostile run', () => {
  test('is the same for the same seed, and another for another', () => {
    expect(makeSchedule(long)).toEqual(makeSchedule(long));
    expect(makeSchedule(long)).not.toEqual(makeSchedule({ ...long, seed: 'b' }));
  });

  test.each([long, short, { ...short, seed: 'x', tenants: 1 }])(
    'has every kind of trouble, in each length: %j',
    (options) => {
      const kinds = new Set(makeSchedule(options).map(({ kind }) => kind));
      const wanted = ALL_KINDS.filter((kind) => options.postgres || factsOf(kind).needs !== 'postgres');
      expect(kinds).toEqual(new Set(wanted));
    },
  );

  test('gives each tenant one trouble at a time, and the house one besides', () => {
    const schedule = makeSchedule(long);
    const lanes = Map.groupBy(schedule, ({ tenant }) => tenant);
    expect([...lanes.keys()].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, null]);
    for (const lane of lanes.values()) {
      for (const [n, trouble] of lane.entries()) {
        const before = lane[n - 1];
        if (before) expect(trouble.atMs).toBeGreaterThanOrEqual(endOf(before));
      }
    }
    for (const { kind, tenant } of schedule) expect(tenant === null).toBe(factsOf(kind).lane === 'house');
  });

  test('spreads a kind over tenants, and none comes again before all have come', () => {
    const own = makeSchedule(long).filter(({ tenant }) => tenant !== null);
    const counts = [...Map.groupBy(own, ({ kind }) => kind).values()].map((list) => list.length);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    expect(Math.min(...counts)).toBeGreaterThan(2);
    const rivals = own.filter(({ kind }) => kind === 'rival');
    expect(new Set(rivals.map(({ tenant }) => tenant)).size).toBeGreaterThan(1);
    for (const { forMs } of rivals) expect(forMs).toBe(60_000);
  });

  test('happens in the order of time, with peace at both ends of a long run; a short one has short spells', () => {
    const times = makeSchedule(long).map(({ atMs }) => atMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(Math.min(...times)).toBeGreaterThan(0.05 * long.lengthMs);
    expect(Math.max(...times)).toBeLessThan(0.9 * long.lengthMs);
    for (const { forMs } of makeSchedule(short)) expect(forMs).toBeLessThanOrEqual(5_000);
  });
});

test('a code is explained by its own kind of trouble, and by trouble of the house', () => {
  expect(explains('401 spell', 'token_rejected')).toBe(true);
  expect(explains('401 spell', 'queue_missing')).toBe(false);
  expect(explains('queue deleted', 'queue_missing')).toBe(true);
  expect(explains('queue deleted', 'token_rejected')).toBe(false);
  expect(explains('kill postgres', 'store_unavailable')).toBe(true);
});
