import { expect, test } from 'vitest';
import { chaos } from '../../../chaos/run.ts';

/**
 * The short form of `npm run chaos`, for every change. A higher quota than Gladly's makes it quick; a worker that is killed still leaves
 * its messages invisible for a minute, so most of the time is waiting.
 */
test('500 events while 8 processes are killed: nothing lost, doubled or wrong', { timeout: 400_000 }, async () => {
  const said: string[] = [];
  const { verdict, done } = await chaos({
    seed: 'ci',
    events: 500,
    kills: 8,
    rate: 15,
    quota: 100,
    postgres: false,
    keep: false,
    say: (line) => said.push(line),
  });
  const { lost, doubled, wrong } = verdict;
  expect({ lost, doubled, wrong }, said.join('\n')).toEqual({ lost: [], doubled: [], wrong: [] });
  // And one more for each conversation whose last change nobody was told of.
  expect(verdict.delivered).toBeGreaterThanOrEqual(500);
  const kills = [...done].filter(([name]) => name.startsWith('kill')).map(([, count]) => count);
  expect(kills.reduce((sum, count) => sum + count, 0)).toBe(8);
});
