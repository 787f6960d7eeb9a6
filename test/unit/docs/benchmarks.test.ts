import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../../..');

it('each benchmark has a row in the list of commands, and each row a benchmark', () => {
  const folder = join(ROOT, 'bench');
  const there = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'main.ts')));
  const document = readFileSync(join(ROOT, 'docs/benchmarks.md'), 'utf8');
  const [, list = ''] = /^## The commands\n(.*?)^<!-- /ms.exec(document) ?? [];
  const rows = [...list.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  expect(rows.toSorted()).toEqual(there.toSorted());
});
