import { describe, expect, test } from 'vitest';
import { duration } from '../../../src/api/console/amounts.ts';
import { chartData, rangeOf } from '../../../src/api/console/charts.ts';

const MINUTE = 60_000;
const noon = Date.UTC(2026, 0, 5, 12);
const step = (minute: number, waiting: number | null) => ({
  at: new Date(noon + minute * MINUTE),
  accepted: 5,
  extracted: 4,
  waiting,
  freshnessP50Ms: 1_500,
  freshnessP99Ms: null,
});

describe('a chart', () => {
  test('has every step of its time: nothing came where nothing was measured, and as much waited as before', () => {
    const data = chartData([step(1, 7), step(3, null)], { from: noon + 20_000, to: noon + 4 * MINUTE, stepMs: MINUTE });
    expect(data.at).toEqual([0, 1, 2, 3, 4].map((minute) => noon / 1_000 + minute * 60));
    expect(data.accepted).toEqual([0, 5, 0, 5, 0]);
    expect(data.stored).toEqual([0, 4, 0, 4, 0]);
    expect(data.waiting).toEqual([6, 7, 7, 7, 7]);
    expect(data.p50).toEqual([null, 1.5, null, 1.5, null]);
    expect(data.p99).toEqual([null, null, null, null, null]);
  });

  const time = { from: noon, to: noon + 4 * MINUTE, stepMs: MINUTE };
  const came = (minute: number, accepted: number) => ({ ...step(minute, null), accepted, extracted: 0 });

  test('shows what waits while nobody notes it, from what waits now and what has come', () => {
    expect(chartData([came(1, 5), came(3, 20)], time, 100).waiting).toEqual([75, 80, 80, 100, 100]);
    // A drain noted it before the pause; what it counted stays.
    expect(chartData([step(0, 3), came(2, 10), came(3, 20)], time, 33).waiting).toEqual([3, 3, 13, 33, 33]);
    expect(chartData([], time, 40).waiting).toEqual([40, 40, 40, 40, 40]);
  });

  test('never shows that less than nothing waited, and nothing where nothing is known', () => {
    expect(chartData([came(1, 50)], time, 20).waiting).toEqual([0, 20, 20, 20, 20]);
    expect(chartData([came(1, 5)], time, null).waiting).toEqual([null, null, null, null, null]);
  });

  test('knows its ranges and no others', () => {
    expect(rangeOf('week')).toBe('week');
    for (const other of ['toString', '', undefined, ['day']]) expect(rangeOf(other)).toBe('hour');
  });
});

test.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [1_000, '1 s'],
  [1_449, '1.4 s'],
  [59_999, '1 min'],
  [90_000, '1.5 min'],
  [754_000, '13 min'],
  [7_200_000, '2 h'],
  [86_400_000, '1 day'],
  [345_600_000, '4 days'],
])('%i ms are %s', (ms, said) => {
  expect(duration(ms)).toBe(said);
});
