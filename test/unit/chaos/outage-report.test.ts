import { expect, test } from 'vitest';
import type { OutageOptions, OutageResult } from '../../../chaos/outage.ts';
import { isGoodOutage, outageLine, outageSection } from '../../../chaos/outage-report.ts';
import type { Verdict } from '../../../chaos/verdict.ts';

const clean: Verdict = { delivered: 9, lost: [], doubled: [], wrong: [], refused: 0, conversations: 2, items: 5 };
const options: OutageOptions = {
  ...{ outage: 'sqs', seconds: 120, rate: 20, quota: 50, seed: 's', keep: false },
  say: () => undefined,
};
const result = (verdict: Partial<Verdict>): OutageResult => ({
  verdict: { ...clean, ...verdict },
  during: 7,
  slowestMs: 1_540,
  tookMs: 61_000,
});

test('with one store out nothing may be refused; with both out something must have been', () => {
  const both: OutageOptions = { ...options, outage: 'both' };
  expect(isGoodOutage(options, result({}))).toBe(true);
  expect(isGoodOutage(options, result({ refused: 1 }))).toBe(false);
  expect(isGoodOutage(both, result({ refused: 1 }))).toBe(true);
  // Then it was no outage, and nothing was shown.
  expect(isGoodOutage(both, result({}))).toBe(false);
  for (const list of ['lost', 'doubled', 'wrong'] as const) {
    expect(isGoodOutage(options, result({ [list]: ['x'] }))).toBe(false);
    expect(isGoodOutage(both, result({ refused: 1, [list]: ['x'] }))).toBe(false);
  }
});

test('a run is a row that can be run again, the newest on top', () => {
  const first = outageSection('', options, result({}), '2026-01-01');
  const second = outageSection(first, { ...options, outage: 'both' }, result({ refused: 3 }), '2026-01-02');
  const rows = second.split('\n').filter((line) => line.startsWith('| 2026'));
  expect(rows).toEqual([
    '| 2026-01-02 | `npm run chaos -- --outage both --seconds 120 --rate 20 --quota 50 --seed s` | 7 | 9 events, 2 conversations, 5 items | refused=3 lost=0 doubled=0 wrong=0 | 1.5 s | 61 s |',
    '| 2026-01-01 | `npm run chaos -- --outage sqs --seconds 120 --rate 20 --quota 50 --seed s` | 7 | 9 events, 2 conversations, 5 items | refused=0 lost=0 doubled=0 wrong=0 | 1.5 s | 61 s |',
  ]);
  expect(second.split('| date |')).toHaveLength(2);
  expect(outageLine(result({ refused: 2, lost: ['x'] }))).toBe('refused=2 lost=1 doubled=0 wrong=0');
});
