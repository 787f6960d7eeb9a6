import type { ChaosOptions, ChaosResult } from './run.ts';
import type { Verdict } from './verdict.ts';

export function isGood({ lost, doubled, wrong }: Verdict): boolean {
  return lost.length + doubled.length + wrong.length === 0;
}

/** The line that a run ends with. */
export function lastLine({ lost, doubled, wrong, refused }: Verdict, seed: string): string {
  return `lost=${lost.length} doubled=${doubled.length} wrong=${wrong.length} refused=${refused} seed=${seed}`;
}

const HEAD = `| date | command | database | killed | besides | held against each other | result | took |
| --- | --- | --- | --- | --- | --- | --- | --- |`;
/** So many runs are kept in the document, the newest first. */
const KEPT = 12;

/** The table of runs with this one on top. `before`: the section as it was. */
export function runsTable(before: string, options: ChaosOptions, result: ChaosResult, date: string): string {
  const old = before.split('\n').filter((line) => /^\| \d{4}-/.test(line));
  return [HEAD, row(options, result, date), ...old].slice(0, KEPT + 1).join('\n');
}

function row({ seed, events, kills, rate, quota, postgres }: ChaosOptions, result: ChaosResult, date: string): string {
  const { verdict, done } = result;
  const names = (starting: (name: string) => boolean): string =>
    [...done]
      .filter(([name]) => starting(name))
      .sort()
      .map(([name, count]) => `${name.replace(/^(kill|fault) /, '')} ${count}`)
      .join(', ');
  // Rate and quota too: the plan is made for the time that they take.
  const numbers = Object.entries({ events, kills, rate, quota }).map(([name, value]) => `--${name} ${value}`);
  const flags = [...numbers, `--seed ${seed}`, ...(postgres ? ['--postgres'] : [])];
  const cells = [
    date,
    `\`npm run chaos -- ${flags.join(' ')}\``,
    result.database,
    names((name) => name.startsWith('kill')),
    names((name) => !name.startsWith('kill')),
    `${verdict.delivered} events, ${verdict.conversations} conversations, ${verdict.items} items`,
    lastLine(verdict, seed).replace(` seed=${seed}`, ''),
    `${Math.round(result.tookMs / 1_000)} s`,
  ];
  return `| ${cells.join(' | ')} |`;
}
