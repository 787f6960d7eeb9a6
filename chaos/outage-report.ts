import type { OutageOptions, OutageResult } from './outage.ts';

/** With one store left nothing may be refused; with none, what is refused must come again and be stored. */
export function isGoodOutage({ outage }: OutageOptions, { verdict }: OutageResult): boolean {
  const { lost, doubled, wrong, refused } = verdict;
  return lost.length + doubled.length + wrong.length === 0 && (outage === 'both' ? refused > 0 : refused === 0);
}

/** The line that a run ends with. */
export function outageLine({ verdict }: OutageResult): string {
  const { lost, doubled, wrong, refused } = verdict;
  return `refused=${refused} lost=${lost.length} doubled=${doubled.length} wrong=${wrong.length}`;
}

const HEAD = `## A store that is out for minutes

\`npm run chaos -- --outage sqs\`, \`postgres\` or \`both\`: what \`npm start\` runs, with SQS and Postgres (PGlite) as processes of their own that are killed with SIGKILL
under a steady load and stay dead for so long. With one of them out nothing may be refused; with both out deliveries are answered with 503 and Gladly
(the simulator, its clock sped up once the outage is over) sends them again. The words are those of above; \`slowest\` is the longest that Gladly waited for an answer, of the 15 s that it has.
At the end each conversation whose very last change was of a type that the webhook does not subscribe to gets one more event: nobody was told of that change.

| date | command | attempts while it was dead | held against each other | result | slowest | took |
| --- | --- | --- | --- | --- | --- | --- |`;
/** So many runs are kept in the document, the newest first. */
const KEPT = 12;

/** The section of outages with this run on top. `before`: the section as it was. */
export function outageSection(before: string, options: OutageOptions, result: OutageResult, date: string): string {
  const old = before.split('\n').filter((line) => /^\| \d{4}-/.test(line));
  return [HEAD, row(options, result, date), ...old.slice(0, KEPT - 1)].join('\n');
}

function row({ outage, seconds, rate, quota, seed }: OutageOptions, result: OutageResult, date: string): string {
  const { verdict, during, slowestMs, tookMs } = result;
  const flags = Object.entries({ outage, seconds, rate, quota, seed }).map(([name, value]) => `--${name} ${value}`);
  const cells = [
    date,
    `\`npm run chaos -- ${flags.join(' ')}\``,
    String(during),
    `${verdict.delivered} events, ${verdict.conversations} conversations, ${verdict.items} items`,
    outageLine(result),
    `${(slowestMs / 1_000).toFixed(1)} s`,
    `${Math.round(tookMs / 1_000)} s`,
  ];
  return `| ${cells.join(' | ')} |`;
}
