import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../../..');
const DOCUMENT = join(ROOT, 'docs/gladly.md');
const FOLDERS = ['src', 'simulator', 'dev', 'bench', 'chaos', 'test', 'deploy', 'docs'].filter((folder) =>
  existsSync(join(ROOT, folder)),
);
const TEXTS = /\.(ts|js|md|sql)$/;
/** Where these facts once stood, outside the repository. In two parts, so that this file does not cite it. */
const FORMER = `${'facts'}.md`;

/** The name, and a list of numbers behind it: `2.4`, `1.2, 1.4`, `2.2 and 2.3`. A comment may break between the two. */
const CITATION = /\bgladly\.md[\s,*/]+(?<numbers>\d+(?:\.\d+)*(?:(?:,\s*|\s+and\s+)\d+(?:\.\d+)*)*)/g;
const HEADING = /^#{2,6} (?<number>\d+(?:\.\d+)*)\.? /gm;

interface Citation {
  /** Of the line on which the name stands. */
  readonly at: string;
  readonly section: string;
}

const lineOf = (text: string, index: number): number => text.slice(0, index).split('\n').length;

function citationsOf(file: string, text: string): Citation[] {
  return [...text.matchAll(CITATION)].flatMap(({ index, groups }) =>
    (groups?.['numbers'] ?? '').split(/,\s*|\s+and\s+/).map((section) => ({
      at: `${file}:${lineOf(text, index)}`,
      section,
    })),
  );
}

const sectionsOf = (document: string): ReadonlySet<string> =>
  new Set([...document.matchAll(HEADING)].map(({ groups }) => groups?.['number'] ?? ''));

const unknown = (citations: readonly Citation[], sections: ReadonlySet<string>): string[] =>
  citations
    .filter(({ section }) => !sections.has(section))
    .map(({ at, section }) => `${at}: docs/gladly.md has no section ${section}`);

const former = (file: string, text: string): string[] =>
  text.split('\n').flatMap((line, i) => (line.includes(FORMER) ? [`${file}:${i + 1}: cites ${FORMER}`] : []));

const files = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => TEXTS.test(path))
    .map((path) => join(ROOT, folder, path)),
)
  .filter((path) => path !== import.meta.filename)
  .map((path) => ({ file: relative(ROOT, path), text: readFileSync(path, 'utf8') }));

describe('what is cited about Gladly', () => {
  it('stands in docs/gladly.md under the number that is cited', () => {
    const citations = files.flatMap(({ file, text }) => citationsOf(file, text));
    expect(citations.length).toBeGreaterThan(50);
    expect(unknown(citations, sectionsOf(readFileSync(DOCUMENT, 'utf8')))).toEqual([]);
  });

  it('is cited from within the repository', () => {
    expect(files.flatMap(({ file, text }) => former(file, text))).toEqual([]);
  });

  it('has a number of its own for each section', () => {
    const numbers = [...readFileSync(DOCUMENT, 'utf8').matchAll(HEADING)].map(({ groups }) => groups?.['number']);
    expect(numbers).toEqual([...new Set(numbers)]);
  });

  it('is seen to be cited wrongly when it is', () => {
    const sections = sectionsOf('# Gladly\n## 1. Webhooks\n### 1.2 Events\nas 2.4 says\n');
    const text = '// One (gladly.md 1.2, 2.4).\n/* gladly.md\n * 9 */\n// gladly.md 1 and 1.20; gladly.md';
    expect(unknown(citationsOf('src/a.ts', text), sections)).toEqual([
      'src/a.ts:1: docs/gladly.md has no section 2.4',
      'src/a.ts:2: docs/gladly.md has no section 9',
      'src/a.ts:4: docs/gladly.md has no section 1.20',
    ]);
    expect(former('src/a.ts', `\n// ${FORMER} 2.4`)).toEqual([`src/a.ts:2: cites ${FORMER}`]);
  });
});
