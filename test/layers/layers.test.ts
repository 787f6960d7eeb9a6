import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/**
 * What each layer may import of the project: arrows point down this list and never up. A layer may always import from itself.
 * `config` and `log` are the two files of that name in src.
 */
const MAY_IMPORT: Record<string, readonly string[]> = {
  contracts: [],
  workflows: ['contracts'],
  gladly: ['contracts'],
  queue: ['contracts'],
  store: ['contracts'],
  temporal: ['contracts', 'config'],
  activities: ['gladly', 'queue', 'store', 'contracts', 'log'],
  api: ['gladly', 'queue', 'store', 'temporal', 'contracts', 'config', 'log'],
  simulator: ['config', 'log'],
  dev: ['config', 'log'],
  config: [],
  log: [],
  worker: ['activities', 'workflows', 'gladly', 'queue', 'store', 'temporal', 'contracts', 'config', 'log', 'dev'],
  main: ['api', 'worker', 'simulator', 'dev', 'config', 'log'],
};

/** Packages that a layer may import; where a layer is not named it may import any. */
const PACKAGES: Record<string, readonly RegExp[]> = {
  contracts: [/^@temporalio\/(workflow|common)$/],
  workflows: [/^@temporalio\/workflow$/],
};

const SRC = resolve(import.meta.dirname, '../../src');
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s(?<type>type\s)?[^'";]*?from\s*'(?<from>[^']+)'|import\(\s*'(?<dynamic>[^']+)'/g;

interface Import {
  readonly file: string;
  readonly layer: string;
  readonly to: string;
}

function layerOf(path: string): string {
  return (relative(SRC, path).split('/')[0] ?? '').replace(/\.ts$/, '');
}

function importsOf(file: string, source: string): Import[] {
  return [...source.matchAll(IMPORT)].map((match) => ({
    file,
    layer: layerOf(file),
    to: match.groups?.['from'] ?? match.groups?.['dynamic'] ?? '',
  }));
}

/** Every import that points where its layer may not look, in words. */
function violations(imports: readonly Import[]): string[] {
  return imports.flatMap(({ file, layer, to }) => {
    const name = relative(SRC, file);
    const allowed = MAY_IMPORT[layer];
    if (!allowed) return [`${name}: ${layer} is no layer that this test knows`];
    if (to.startsWith('.')) {
      const target = layerOf(resolve(dirname(file), to));
      return target === layer || allowed.includes(target) ? [] : [`${name} imports ${target}`];
    }
    const packages = PACKAGES[layer];
    return !packages || packages.some((one) => one.test(to)) ? [] : [`${name} imports ${to}`];
  });
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => join(SRC, path));

describe('layers', () => {
  it('point down and never up', () => {
    const all = files.flatMap((file) => importsOf(file, readFileSync(file, 'utf8')));
    expect(all.length).toBeGreaterThan(100);
    expect(violations(all)).toEqual([]);
  });

  it('are seen to be broken when they are', () => {
    const file = join(SRC, 'workflows/example.ts');
    const source =
      "import { a } from '../store/db.ts';\nimport type { z } from 'zod';\nimport { b } from '../contracts/tenant.ts';";
    expect(violations(importsOf(file, source))).toEqual([
      'workflows/example.ts imports store',
      'workflows/example.ts imports zod',
    ]);
  });
});
