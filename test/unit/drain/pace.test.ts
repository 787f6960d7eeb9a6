import { expect, it } from 'vitest';
import { Pace } from '../../../src/activities/drain/pace.ts';

const MINUTE = 60_000;
const MOST = 10 * MINUTE;
const UNKNOWN = { paceMs: null, sinceFoundMs: null };

function paceOf(pausesMs: readonly number[]): Pace {
  const pace = new Pace(MOST, UNKNOWN, 0);
  let now = 0;
  pace.found(now);
  for (const pause of pausesMs) {
    now += pause;
    pace.found(now);
  }
  return pace;
}

it('stays awake for half the bound while nothing is known', () => {
  expect(new Pace(MOST, UNKNOWN, 0).patienceMs).toBe(5 * MINUTE);
  expect(paceOf([]).patienceMs).toBe(5 * MINUTE);
});

it('stays awake for three usual pauses, and a tenth of the bound at least', () => {
  expect(paceOf([2 * MINUTE, 2 * MINUTE]).patienceMs).toBeCloseTo(6 * MINUTE);
  expect(paceOf([50, 100, 80]).patienceMs).toBe(MINUTE);
  expect(paceOf([9 * MINUTE]).patienceMs).toBe(MOST);
});

it('puts one to sleep soon whose events come further apart than it would stay awake', () => {
  expect(paceOf([MINUTE, 3 * 60 * MINUTE, 3 * 60 * MINUTE, 3 * 60 * MINUTE]).patienceMs).toBe(MINUTE);
});

it('is taken over by a few events of another habit', () => {
  const wasRare = Array.from({ length: 10 }, () => 60 * MINUTE);
  const isBusy = Array.from({ length: 8 }, () => 1_000);
  expect(paceOf([...wasRare, ...isBusy]).patienceMs).toBeLessThan(MOST);
  expect(paceOf([...wasRare, ...isBusy, ...isBusy]).patienceMs).toBe(MINUTE);
});

it('goes on where an earlier drain left it', () => {
  const before = paceOf([2 * MINUTE, 2 * MINUTE]);
  const { paceMs, sinceFoundMs } = before.known(5 * MINUTE);
  expect([paceMs, sinceFoundMs]).toEqual([2 * MINUTE, MINUTE]);
  // Woken an hour later.
  const after = new Pace(MOST, { paceMs, sinceFoundMs: 61 * MINUTE }, 1_000_000);
  after.found(1_000_000);
  expect(after.known(1_000_000).paceMs).toBeCloseTo(0.7 * 2 * MINUTE + 0.3 * 2 * MOST);
});
