import type { KeyLine, KeyReport, Renewal } from './report.ts';

/** Names of what needs a key that are shown; `--json` has them all. */
const SHOWN = 10;

/** The report for a terminal: a table, and a sentence for each key that is not the first. */
export function textOf({ keys, damaged, closed }: KeyReport, renewal: Renewal | null): string {
  const first = keys.find(({ is }) => is === 'first')?.id ?? '';
  const mayGo = keys.filter((key) => key.mayGo);
  return [
    ...table(keys),
    '',
    ...keys.filter(({ is }) => is !== 'first').map((key) => sentence(key, first)),
    ...damaged.map((why) => `${why}. The customer enters them again through a connect link.`),
    ...(renewal === null ? [] : renewed(renewal)),
    ...(mayGo.length === 0 ? [] : cautions(closed)),
    '',
  ].join('\n');
}

function table(keys: readonly KeyLine[]): readonly string[] {
  const rows = [
    ['key', 'is', 'workflows', 'rows', 'schedules', 'tenants'],
    ...keys.map(({ id, is, workflows, rows, schedules, tenants }) =>
      [id, is, workflows, rows, schedules, tenants].map(String),
    ),
  ];
  const widths = (rows[0] ?? []).map((_, n) => Math.max(...rows.map((row) => row[n]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, n) => (n < 2 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

function sentence({ id, is, mayGo, neededBy }: KeyLine, first: string): string {
  if (mayGo) return `${id}: nothing needs it. It may go from SECRET_KEYS.`;
  if (is === 'older') return `${id}: needed by ${some(neededBy)}. With --renew they go over to ${first}.`;
  return `${id}: SECRET_KEYS does not hold it, and without it ${some(neededBy)} cannot be opened. Put it back, after the first one.`;
}

function renewed({ first, asked, waiting, underOther, resealed }: Renewal): readonly string[] {
  const wentOn = asked - waiting.length - underOther.length;
  return [
    '',
    `Workflows that went over to ${first}: ${wentOn} of ${asked}. Rows that did: ${resealed ?? 0}.`,
    ...(waiting.length === 0
      ? []
      : [
          `Not yet: ${some(waiting)}. No worker is there, or it is paused in Temporal, or it stands still (docs/operators.md). Once that is mended it goes over by itself.`,
        ]),
    ...(underOther.length === 0
      ? []
      : [
          `Under another key than ${first}: ${some(underOther)}. A worker has other SECRET_KEYS: give all processes the same, restart them, and run this again.`,
        ]),
    ...(resealed === null
      ? [`No row was touched: nothing shows that the workers hold ${first}, and they must be able to open them.`]
      : []),
  ];
}

/** What nobody can count. */
const cautions = ({ count, keptDays }: KeyReport['closed']): readonly string[] => [
  '',
  'Before a key goes: connect links that were signed with it end (each lives 30 days at most), and sessions of the console (12 hours).',
  `Temporal UI cannot show what it sealed of the ${count} histories that have ended, and are kept for ${round(keptDays)} days. Keep a copy of it for as long as backups of Postgres.`,
];

const round = (days: number): number => Math.round(days * 10) / 10;

function some(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).join(', ');
  return names.length > SHOWN ? `${shown} and ${names.length - SHOWN} more` : shown;
}
