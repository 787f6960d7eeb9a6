import { expect, test } from 'vitest';
import { hostileLine, missedIn, tallyLines } from '../../../chaos/hostile/report.ts';
import { hostile } from '../../../chaos/hostile/run.ts';

/**
 * The short form of `npm run chaos -- --hostile`, for every change: each kind of trouble at least once, in short spells. What waits two
 * minutes, and what is named a minute too long, only the long form shows.
 */
test('300 events of three tenants while everything unkind happens: nothing lost, doubled, wrong, stuck or misled', {
  timeout: 600_000,
}, async () => {
  const said: string[] = [];
  const result = await hostile({
    seed: 'ci',
    events: 300,
    tenants: 3,
    seconds: 30,
    quota: 50,
    postgres: false,
    keep: false,
    say: (line) => said.push(line),
  });
  const { verdict, stuck, misled, tally } = result;
  const { lost, doubled, wrong } = verdict;
  const missed = missedIn(tally);
  const told = [...said, ...tallyLines(tally), hostileLine(result)].join('\n');
  const nothing = { lost: [], doubled: [], wrong: [], stuck: [], misled: [], missed: [] };
  expect({ lost, doubled, wrong, stuck, misled, missed }, told).toEqual(nothing);
  expect(verdict.delivered).toBeGreaterThanOrEqual(300);
  expect(result.looks.all).toBeGreaterThan(50);
  expect(result.looks.naming).toBeGreaterThan(0);
});
