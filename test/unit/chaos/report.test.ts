import { expect, test } from 'vitest';
import { isGood, lastLine, runsTable } from '../../../chaos/report.ts';
import type { ChaosOptions, ChaosResult } from '../../../chaos/run.ts';
import type { Verdict } from '../../../chaos/verdict.ts';

const good: Verdict = { delivered: 9, lost: [], doubled: [], wrong: [], refused: 3, conversations: 2, items: 5 };
const options: ChaosOptions = {
  ...{ seed: 's', events: 9, kills: 2, rate: 1, quota: 10, postgres: false, keep: false },
  say: () => undefined,
};
const result = (verdict: Verdict): ChaosResult => ({
  verdict,
  done: new Map([['kill api', 2]]),
  tookMs: 1_000,
  database: 'PGlite',
});

test('a run is good only when nothing is lost, doubled or wrong; what was refused does not count', () => {
  expect(isGood(good)).toBe(true);
  for (const list of ['lost', 'doubled', 'wrong'] as const) expect(isGood({ ...good, [list]: ['x'] })).toBe(false);
  expect(lastLine({ ...good, lost: ['x'] }, 's')).toBe('lost=1 doubled=0 wrong=0 refused=3 seed=s');
});

test('the document keeps the runs before, the newest on top, and twelve of them', () => {
  let section = '';
  for (let day = 10; day < 25; day += 1) section = runsTable(section, options, result(good), `2026-01-${day}`);
  const rows = section.split('\n').slice(2);
  expect(rows).toHaveLength(12);
  expect(rows[0]).toContain('2026-01-24');
  expect(rows[0]).toContain('`npm run chaos -- --events 9 --kills 2 --rate 1 --quota 10 --seed s`');
  expect(rows.at(-1)).toContain('2026-01-13');
});
