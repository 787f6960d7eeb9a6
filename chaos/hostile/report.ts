import type { HostileOptions, HostileResult, Tally } from './run.ts';

/** Kinds of trouble that were planned and did not happen each time. */
export function missedIn(tally: Tally): readonly string[] {
  return [...tally]
    .filter(([, { planned, happened }]) => happened < planned)
    .map(([kind, { planned, happened }]) => `${kind}: ${happened} of ${planned} happened`);
}

/** Nothing may be lost, doubled, wrong, stuck or misled, and all that was planned must have happened and been seen. */
export function isGoodHostile({ verdict, stuck, misled, tally, looks }: HostileResult): boolean {
  const { lost, doubled, wrong } = verdict;
  const faults = lost.length + doubled.length + wrong.length + stuck.length + misled.length + missedIn(tally).length;
  return faults === 0 && looks.naming > 0;
}

/** How often each kind happened, one line each, by name. */
export const tallyLines = (tally: Tally): readonly string[] =>
  [...tally]
    .map(([kind, { happened, planned }]) => `${kind}: ${happened}${happened < planned ? ` of ${planned}` : ''}`)
    .sort();

/** The line that a run ends with. */
export function hostileLine({ verdict, stuck, misled }: HostileResult): string {
  const { lost, doubled, wrong, refused } = verdict;
  return `lost=${lost.length} doubled=${doubled.length} wrong=${wrong.length} stuck=${stuck.length} misled=${misled.length} refused=${refused}`;
}

const HEAD = `| date | command | database | trouble | looks | held against each other | result | took |
| --- | --- | --- | --- | --- | --- | --- | --- |`;
/** So many runs are kept in the document, the newest first. */
const KEPT = 12;

/** The table of hostile runs with this one on top. `before`: the section as it was. */
export function hostileTable(before: string, options: HostileOptions, result: HostileResult, date: string): string {
  const old = before.split('\n').filter((line) => /^\| \d{4}-/.test(line));
  return [HEAD, row(options, result, date), ...old].slice(0, KEPT + 2).join('\n');
}

function row(options: HostileOptions, result: HostileResult, date: string): string {
  const { seed, events, tenants, seconds, quota, postgres } = options;
  const { verdict, tally, looks, tookMs, database } = result;
  const numbers = Object.entries({ events, tenants, seconds, quota }).map(([name, value]) => `--${name} ${value}`);
  const flags = ['--hostile', ...numbers, `--seed ${seed}`, ...(postgres ? ['--postgres'] : [])];
  const times = [...tally.values()].reduce((sum, { happened }) => sum + happened, 0);
  const cells = [
    date,
    `\`npm run chaos -- ${flags.join(' ')}\``,
    database,
    `${times} of ${tally.size} kinds`,
    `${looks.all}, ${looks.naming} naming`,
    `${verdict.delivered} events, ${verdict.conversations} conversations, ${verdict.items} items`,
    hostileLine(result),
    `${Math.round(tookMs / 1_000)} s`,
  ];
  return `| ${cells.join(' | ')} |`;
}
