/** Writes docs/problems.md from the catalogue that the code uses: `node scripts/write-problems.ts`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ProblemCode, problemCodes, problemText } from '../src/contracts/problems.ts';

const MENDED_BY = {
  customer: {
    title: 'What a Gladly administrator mends',
    text: 'The step waits. It is looked at again as soon as somebody asks for it, and every 15 minutes by itself.',
  },
  time: {
    title: 'What time heals',
    text: 'We go on trying by ourselves: after 1 second, then later and later up to 5 minutes, without end.',
  },
  operator: { title: 'What we mend', text: 'The customer can do nothing about it, and is told so.' },
  notice: { title: 'Worth knowing', text: 'Stops nothing.' },
} as const;

/** The whole document. */
export function problemsDocument(): string {
  const sections = (['customer', 'time', 'operator', 'notice'] as const).map((group) => {
    const { title, text } = MENDED_BY[group];
    const rows = problemCodes.filter((code) => groupOf(code) === group).map(row);
    return [`## ${title}`, '', text, '', '| code | what is said | what to do |', '| --- | --- | --- |', ...rows, ''];
  });
  return [
    '# Problems',
    '',
    'Everything that can stand between a customer and their data, with the words that are shown for it. Names in braces are filled in.',
    'Written by `node scripts/write-problems.ts` from `src/contracts/problems.ts`; a test holds it up to date.',
    '',
    ...sections.flat(),
  ]
    .join('\n')
    .replace(/\n+$/, '\n');
}

function groupOf(code: ProblemCode): keyof typeof MENDED_BY {
  const { notice, mendedBy } = problemText(code);
  return notice ? 'notice' : mendedBy;
}

function row(code: ProblemCode): string {
  const { sentence, remedy } = problemText(code);
  return `| \`${code}\` | ${cell(sentence)} | ${cell(remedy)} |`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

if (import.meta.main) writeFileSync(join(import.meta.dirname, '../docs/problems.md'), problemsDocument());
