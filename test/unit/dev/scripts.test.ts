import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { PROJECT } from '../../support/compose/read.ts';

const read = (path: string): string => readFileSync(join(PROJECT, path), 'utf8');

test('every command that a document names is there', () => {
  const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(read('package.json')));
  for (const document of ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', '.githooks/pre-commit']) {
    const named = [...read(document).matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name);
    expect([document, named.filter((name) => !(name in scripts))]).toEqual([document, []]);
  }
});

test('every file that CONTRIBUTING names is there, and every link of the kit leads somewhere', () => {
  for (const document of ['CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md']) {
    const text = read(document);
    const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, path = '']) => path);
    const named = [...text.matchAll(/`((?:src|test|scripts|docs)\/[\w./-]+\.(?:ts|mjs|md))`/g)].map(
      ([, path = '']) => path,
    );
    for (const path of [...links, ...named].filter((one) => !one.startsWith('docs/decisions'))) {
      expect(() => read(path), `${document}: ${path}`).not.toThrow();
    }
  }
});
