/**
 * `npm run chaos`: sends events at a steady pace while worker, API, Temporal, SQS and Postgres are killed in random order, with faults
 * of Gladly's and pauses in between, and holds what was delivered against what is stored. Exit code 1 when anything is lost, doubled
 * or wrong. The seed that it prints gives the same plan again.
 *
 * `npm run chaos -- --outage sqs | postgres | both [--seconds 120]`: the same load while one store or both are dead for so long.
 *
 * `npm run chaos -- --hostile [--tenants 8] [--minutes 10 | --seconds N] [--only KIND,KIND]`: 5,000 events over several tenants while everything unkind happens
 * besides: Gladly's answers, queues, Temporal's operators, keys and clocks. Exit code 1 when something was stuck or misled too, or did not happen.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { section, writeSection } from '../bench/support/sections.ts';
import { isKind } from './hostile/kinds.ts';
import { hostileLine, hostileTable, isGoodHostile, missedIn, tallyLines } from './hostile/report.ts';
import { hostile } from './hostile/run.ts';
import { OUTAGES, type Outage, outage } from './outage.ts';
import { isGoodOutage, outageLine, outageSection } from './outage-report.ts';
import { isGood, lastLine, runsTable } from './report.ts';
import { type ChaosOptions, chaos } from './run.ts';
import type { Verdict } from './verdict.ts';

const DOCUMENT = join(import.meta.dirname, '../docs/reliability.md');
const SECTION = 'chaos';
const OUTAGE_SECTION = 'outages';
const HOSTILE_SECTION = 'hostile';

const { values } = parseArgs({
  options: {
    events: { type: 'string' },
    kills: { type: 'string', default: '50' },
    outage: { type: 'string' },
    hostile: { type: 'boolean', default: false },
    only: { type: 'string' },
    tenants: { type: 'string', default: '8' },
    minutes: { type: 'string', default: '10' },
    seconds: { type: 'string' },
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
const date = new Date().toISOString().slice(0, 10);
const shared = {
  seed: values.seed ?? randomBytes(4).toString('hex'),
  rate: wholeNumber('rate', values.rate),
  quota: wholeNumber('quota', values.quota),
  keep: values.keep,
  say,
};
process.exit((await run()) ? 0 : 1);

function run(): Promise<boolean> {
  if (values.hostile) return beHostile();
  return values.outage === undefined ? killAll() : killStores(values.outage);
}

async function killAll(): Promise<boolean> {
  const options: ChaosOptions = {
    ...shared,
    events: wholeNumber('events', values.events ?? '10000'),
    kills: wholeNumber('kills', values.kills),
    postgres: values.postgres,
  };
  say(`${options.events} events, ${options.kills} kills, seed ${options.seed}`);
  const result = await chaos(options);
  sayFaults(result.verdict);
  for (const [what, count] of [...result.done].sort()) say(`${what}: ${count}`);
  rewrite(SECTION, (before) => runsTable(before, options, result, date));
  say(lastLine(result.verdict, options.seed));
  return isGood(result.verdict);
}

async function killStores(which: string): Promise<boolean> {
  if (!isOutage(which)) return complain(`--outage: one of ${Object.keys(OUTAGES).join(', ')}`);
  const options = { ...shared, outage: which, seconds: wholeNumber('seconds', values.seconds ?? '120') };
  say(`${which} out for ${options.seconds} s, seed ${options.seed}`);
  const result = await outage(options);
  sayFaults(result.verdict);
  rewrite(OUTAGE_SECTION, (before) => outageSection(before, options, result, date));
  say(outageLine(result));
  return isGoodOutage(options, result);
}

async function beHostile(): Promise<boolean> {
  const { seconds, minutes } = values;
  const options = {
    ...shared,
    events: wholeNumber('events', values.events ?? '5000'),
    tenants: wholeNumber('tenants', values.tenants),
    seconds: seconds === undefined ? 60 * wholeNumber('minutes', minutes) : wholeNumber('seconds', seconds),
    postgres: values.postgres,
    only: values.only?.split(',').map((name) => (isKind(name) ? name : complain(`--only: there is no ${name}`))),
  };
  say(`${options.events} events over ${options.tenants} tenants for ${options.seconds} s, seed ${options.seed}`);
  const result = await hostile(options);
  sayFaults(result.verdict);
  const misled = result.misled.map(({ tenant, why }) => `${tenant}: ${why}`);
  for (const fault of [...result.stuck, ...new Set(misled), ...missedIn(result.tally)].slice(0, 50)) say(fault);
  for (const line of tallyLines(result.tally)) say(line);
  say(`looks: ${result.looks.all}, ${result.looks.naming} of them at a status that named something`);
  if (options.only === undefined) rewrite(HOSTILE_SECTION, (before) => hostileTable(before, options, result, date));
  say(hostileLine(result));
  return isGoodHostile(result);
}

function isOutage(name: string): name is Outage {
  return Object.hasOwn(OUTAGES, name);
}

function sayFaults({ lost, doubled, wrong }: Verdict): void {
  for (const fault of [...lost, ...doubled, ...wrong].slice(0, 50)) say(fault);
}

function rewrite(name: string, body: (before: string) => string): void {
  writeSection(DOCUMENT, name, body(section(readFileSync(DOCUMENT, 'utf8'), name)));
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  return Number.isInteger(value) && value > 0 ? value : complain(`--${name}: a whole number above 0`);
}

function complain(what: string): never {
  process.stderr.write(`${what}\n`);
  process.exit(2);
}
