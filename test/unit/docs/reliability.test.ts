import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { ALL_KINDS } from '../../../chaos/hostile/kinds.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const document = readFileSync(join(ROOT, 'docs/reliability.md'), 'utf8');
const intro = document.slice(document.indexOf('What the run does, by kind'), document.indexOf('<!-- hostile: begin'));

test('each test that the document names exists', () => {
  const named = [...document.matchAll(/`(test\/[\w./-]+\.test\.ts)`/g)].map(([, file]) => file ?? '');
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});

test('each kind of trouble has its row', () => {
  const rows = intro.split('\n').flatMap((line) => line.split('|')[1]?.trim() ?? []);
  const words = new Set(rows.flatMap((row) => row.split(/[,;]\s*/)).map((word) => word.trim()));
  // `404, 403, 401, 302 and HTML spell`, `kill`, `undecodable signal`: one row for several.
  const isNamed = (kind: string): boolean =>
    words.has(kind) ||
    [/^(404|403|401|302|HTML) spell$/, /^kill /, /^undecodable signal/, /^(terminate|cancel|reset) /].some((one) =>
      one.test(kind),
    );
  expect(ALL_KINDS.filter((kind) => !isNamed(kind))).toEqual([]);
  for (const word of [
    '404, 403, 401, 302 and HTML spell',
    'kill',
    'undecodable signal',
    'terminate, cancel, reset; activity pause; pause',
  ])
    expect(rows).toContain(word);
});
