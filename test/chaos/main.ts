/**
 * `npm run chaos`: sends events at a steady pace while worker, API, Temporal, SQS and Postgres are killed in random order, with faults
 * of Gladly's and pauses in between, and holds what was delivered against what is stored. Exit code 1 when anything is lost, doubled
 * or wrong. The seed that it prints gives the same plan again.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { section, writeSection } from '../bench/support/sections.ts';
import { isGood, lastLine, runsTable } from './report.ts';
import { type ChaosOptions, chaos } from './run.ts';

const DOCUMENT = join(import.meta.dirname, '../../docs/reliability.md');
const SECTION = 'chaos';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '10000' },
    kills: { type: 'string', default: '50' },
    rate: { type: 'string', default: '20' },
    quota: { type: 'string', default: '50' },
    seed: { type: 'string' },
    postgres: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const options: ChaosOptions = {
  seed: values.seed ?? randomBytes(4).toString('hex'),
  events: wholeNumber('events', values.events),
  kills: wholeNumber('kills', values.kills),
  rate: wholeNumber('rate', values.rate),
  quota: wholeNumber('quota', values.quota),
  postgres: values.postgres,
  keep: values.keep,
  say,
};

say(`${options.events} events, ${options.kills} kills, seed ${options.seed}`);
const result = await chaos(options);
for (const fault of [...result.verdict.lost, ...result.verdict.doubled, ...result.verdict.wrong].slice(0, 50))
  say(fault);
for (const [what, count] of [...result.done].sort()) say(`${what}: ${count}`);
const date = new Date().toISOString().slice(0, 10);
const before = section(readFileSync(DOCUMENT, 'utf8'), SECTION);
writeSection(DOCUMENT, SECTION, runsTable(before, options, result, date));
say(lastLine(result.verdict, options.seed));
process.exit(isGood(result.verdict) ? 0 : 1);

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  process.stderr.write(`--${name}: a whole number above 0\n`);
  process.exit(2);
}
