import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { endAll } from './ending.ts';
import type { Figure } from './figures.ts';
import { writeSection } from './sections.ts';

export type Say = (line: string) => void;

/** A figure, and what a reader must know to judge it: what was measured, and beside what. */
export interface Finding {
  readonly figure: Figure;
  readonly how: string;
}

const DOCUMENT = join(import.meta.dirname, '../../docs/benchmarks.md');
export interface ReportOptions {
  /** False: a run with options of its own, of which the document says nothing. */
  readonly isWhole?: boolean;
  /** One that takes longer is ended, and has failed. In minutes. */
  readonly mostMinutes?: number;
}

/** Longer than any benchmark takes. */
const MOST_MINUTES = 60;
const INTERRUPTED = 130;

/**
 * Runs a benchmark, writes its section of docs/benchmarks.md, and ends the output with its figures as JSON. A signal, a failure or the end of its
 * time ends what it has started, too.
 */
export async function report(
  name: string,
  run: (say: Say) => Promise<readonly Finding[]>,
  { isWhole = true, mostMinutes = MOST_MINUTES }: ReportOptions = {},
): Promise<void> {
  const say: Say = (line) => void process.stdout.write(`${line}\n`);
  let isLeaving = false;
  const leave = (code: number, why: unknown): void => {
    if (isLeaving) return;
    isLeaving = true;
    process.stderr.write(`${name}: ${why instanceof Error ? why.stack : String(why)}\n`);
    void endAll().finally(() => process.exit(code));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => leave(INTERRUPTED, signal));
  // What breaks because its world is just being ended is no failure of its own.
  process.on('uncaughtException', (error) => leave(1, error));
  const late = `took longer than ${mostMinutes} minutes`;
  setTimeout(() => leave(1, late), mostMinutes * 60_000).unref();
  try {
    const findings = await run(say);
    if (isLeaving) return;
    if (isWhole) writeSection(DOCUMENT, name, sectionOf(name, findings));
    for (const { figure, how } of findings) {
      if (!isWhole) say(`${figure.name}: ${how}`);
      say(JSON.stringify(figure));
    }
    process.exit(0);
  } catch (error) {
    leave(1, error);
  }
}

function sectionOf(name: string, findings: readonly Finding[]): string {
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}`;
  const load = loadavg()[1]?.toFixed(1);
  return [
    `## ${name}`,
    '',
    `\`npm run bench -- ${name}\` · ${new Date().toISOString().slice(0, 10)} · ${machine}, load ${load} in the five minutes before the end · Node ${process.versions.node}`,
    '',
    '| figure | value | target | met | what was measured |',
    '| --- | --- | --- | --- | --- |',
    ...findings.map(({ figure, how }) => {
      const sign = figure.better === 'lower' ? '≤' : '≥';
      const met = figure.better === 'lower' ? figure.value <= figure.limit : figure.value >= figure.limit;
      return `| \`${figure.name}\` | ${figure.value} ${figure.unit} | ${sign} ${figure.limit} | ${met ? 'yes' : 'no'} | ${how} |`;
    }),
  ].join('\n');
}

/** The value below which this part (0 to 1) of the values lies. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}
