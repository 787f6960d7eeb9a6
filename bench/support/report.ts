import { existsSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import type { Figure } from './figures.ts';
import { writeSection } from './sections.ts';

export type Say = (line: string) => void;

/** A figure, and what a reader must know to judge it: what was measured, and beside what. */
export interface Finding {
  readonly figure: Figure;
  readonly how: string;
}

const DOCUMENT = join(import.meta.dirname, '../../docs/benchmarks.md');
const OPENING = `# Benchmarks

Each section is written by the command that it names. A target is what the project asks of itself; \`ratio\` is the value divided by it. The runs share
their machine with whatever else is at work there, so a time says less than a count, and a ratio to something measured in the same run says most.
`;

/** Runs a benchmark, writes its section of docs/benchmarks.md, and ends the output with its figures as JSON. */
export async function report(name: string, run: (say: Say) => Promise<readonly Finding[]>): Promise<void> {
  const say: Say = (line) => void process.stdout.write(`${line}\n`);
  const findings = await run(say);
  if (!existsSync(DOCUMENT)) writeFileSync(DOCUMENT, OPENING);
  writeSection(DOCUMENT, name, sectionOf(name, findings));
  for (const { figure } of findings) say(JSON.stringify(figure));
  process.exit(0);
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
