import { expect, test } from 'vitest';
import { hostileLine, hostileTable, isGoodHostile, missedIn, tallyLines } from '../../../chaos/hostile/report.ts';
import type { HostileOptions, HostileResult } from '../../../chaos/hostile/run.ts';

const good: HostileResult = {
  verdict: { delivered: 9, lost: [], doubled: [], wrong: [], refused: 3, conversations: 2, items: 5 },
  stuck: [],
  misled: [],
  tally: new Map([
    ['merge', { planned: 2, happened: 2 }],
    ['401 spell', { planned: 1, happened: 1 }],
  ]),
  looks: { all: 40, naming: 7 },
  tookMs: 61_000,
  database: 'PGlite',
};
const options: HostileOptions = {
  ...{ seed: 's', events: 9, tenants: 2, seconds: 60, quota: 50, postgres: true, keep: false },
  say: () => undefined,
};

test('a run is good only when nothing went wrong, nobody was misled, and all that was planned has happened', () => {
  expect(isGoodHostile(good)).toBe(true);
  for (const list of ['lost', 'doubled', 'wrong'] as const)
    expect(isGoodHostile({ ...good, verdict: { ...good.verdict, [list]: ['x'] } })).toBe(false);
  expect(isGoodHostile({ ...good, stuck: ['x'] })).toBe(false);
  expect(isGoodHostile({ ...good, looks: { all: 40, naming: 0 } })).toBe(false);
  expect(isGoodHostile({ ...good, misled: [{ atMs: 1, tenant: 'a', why: 'x' }] })).toBe(false);
  expect(isGoodHostile({ ...good, tally: new Map([['merge', { planned: 2, happened: 1 }]]) })).toBe(false);
});

test('the last lines say how often each kind happened, and the very last what it came to', () => {
  const tally = new Map([...good.tally, ['rival', { planned: 2, happened: 0 }]]);
  expect(tallyLines(tally)).toEqual(['401 spell: 1', 'merge: 2', 'rival: 0 of 2']);
  expect(missedIn(tally)).toEqual(['rival: 0 of 2 happened']);
  expect(hostileLine({ ...good, stuck: ['x'] })).toBe('lost=0 doubled=0 wrong=0 stuck=1 misled=0 refused=3');
});

test('a run is a row that can be run again, the newest on top', () => {
  const rows = hostileTable(hostileTable('', options, good, '2026-01-01'), options, good, '2026-01-02').split('\n');
  expect(rows).toHaveLength(4);
  expect(rows[2]).toBe(
    '| 2026-01-02 | `npm run chaos -- --hostile --events 9 --tenants 2 --seconds 60 --quota 50 --seed s --postgres` | PGlite | 3 of 2 kinds | 40, 7 naming | 9 events, 2 conversations, 5 items | lost=0 doubled=0 wrong=0 stuck=0 misled=0 refused=3 | 61 s |',
  );
  expect(rows[3]).toContain('2026-01-01');
});
