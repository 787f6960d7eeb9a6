import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const BELOW_API = ['tenants', 'gladly', 'queue', 'store', 'temporal', 'crypto', 'telemetry', 'contracts', 'config'];
const INSIDE_API = ['http', 'pages', 'ingest', 'operators', 'feed', 'codec', 'connect', 'console'].map(
  (box) => `api/${box}`,
);

/**
 * What each box may import of the project: arrows point down this list and never up. A box may always import from itself. Product boxes
 * are folders and files of src; the inner boxes of `api` are boxes of their own; the workshop stands beside src.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  contracts: [],
  config: [],
  crypto: [],
  telemetry: [],
  workflows: ['contracts'],
  gladly: ['contracts'],
  queue: ['contracts'],
  store: ['crypto', 'contracts'],
  temporal: ['crypto', 'contracts'],
  tenants: ['gladly', 'queue', 'store', 'contracts', 'config'],
  activities: ['tenants', 'gladly', 'queue', 'store', 'crypto', 'contracts', 'telemetry'],
  'api/http': ['telemetry', 'contracts', 'config'],
  'api/pages': ['api/http', 'telemetry', 'contracts'],
  'api/ingest': ['api/http', 'gladly', 'queue', 'store', 'contracts'],
  'api/operators': ['api/http', 'tenants', 'contracts'],
  'api/feed': ['api/http', 'tenants', 'store', 'contracts'],
  'api/codec': ['api/http', 'crypto', 'contracts'],
  'api/connect': ['api/pages', 'api/http', 'tenants', 'gladly', 'store', 'contracts'],
  'api/console': ['api/pages', 'api/http', 'tenants', 'queue', 'store', 'contracts', 'config'],
  api: [...INSIDE_API, ...BELOW_API],
  roles: ['api', 'activities', ...INSIDE_API, ...BELOW_API],
  main: ['roles', 'config', 'telemetry'],
};

/** What the workshop may import of the product, and of itself. The product imports nothing of it. */
const WORKSHOP: Readonly<Record<string, readonly string[]>> = {
  simulator: ['src/telemetry', 'src/roles/parent'],
  dev: ['simulator', 'src/config', 'src/contracts', 'src/temporal', 'src/roles/parent', 'test/support'],
  bench: ['simulator', 'dev', 'src', 'test'],
  chaos: ['simulator', 'dev', 'bench', 'src', 'test'],
  deploy: ['simulator', 'src'],
};

/** Packages that a box may import; where a box is not named it may import any. */
const PACKAGES: Readonly<Record<string, readonly RegExp[]>> = {
  contracts: [/^@temporalio\/(workflow|common)$/, /^@temporalio\/common\/lib\/encoding\.js$/],
  crypto: [/^node:/],
  workflows: [/^@temporalio\/workflow$/],
};

const ROOT = resolve(import.meta.dirname, '../../..');
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s(?<type>type\s)?[^'";]*?from\s*'(?<from>[^']+)'|import\(\s*'(?<dynamic>[^']+)'/g;

interface Import {
  /** Relative to the root, as `target` is. */
  readonly file: string;
  /** A package's name, or a file of the project. */
  readonly target: string;
  readonly isPackage: boolean;
}

function importsOf(file: string, source: string): Import[] {
  return [...source.matchAll(IMPORT)].map(({ groups }) => {
    const to = groups?.['from'] ?? groups?.['dynamic'] ?? '';
    const isPackage = !to.startsWith('.');
    return { file, isPackage, target: isPackage ? to : relative(ROOT, resolve(ROOT, dirname(file), to)) };
  });
}

/** The product's box of a file: the longest name of MAY_IMPORT that it stands in. */
function boxOf(file: string): string | undefined {
  const path = file.replace(/^src\//, '').replace(/\.ts$/, '');
  return Object.keys(MAY_IMPORT)
    .filter((box) => path === box || path.startsWith(`${box}/`))
    .sort((one, other) => other.length - one.length)[0];
}

const isIn = (file: string, folder: string): boolean =>
  file.replace(/\.ts$/, '') === folder || file.startsWith(`${folder}/`);

/** Every import that points where its box may not look, in words. */
function violations(imports: readonly Import[]): string[] {
  return imports.flatMap(({ file, target, isPackage }) => {
    const complaint = [`${file} imports ${target}`];
    if (!isIn(file, 'src')) {
      const shop = file.split('/')[0] ?? '';
      const allowed = [shop, ...(WORKSHOP[shop] ?? [])];
      return isPackage || allowed.some((folder) => isIn(target, folder)) ? [] : complaint;
    }
    const box = boxOf(file);
    if (box === undefined) return [`${file}: stands in no box that this test knows`];
    if (isPackage) return (PACKAGES[box] ?? [/./]).some((one) => one.test(target)) ? [] : complaint;
    const other = isIn(target, 'src') ? boxOf(target) : undefined;
    return other !== undefined && (other === box || MAY_IMPORT[box]?.includes(other)) ? [] : complaint;
  });
}

/** Files that import each other in a loop, types included; each loop once. */
function circles(imports: readonly Import[]): string[] {
  const edges = new Map<string, string[]>();
  for (const { file, target, isPackage } of imports)
    if (!isPackage) edges.set(file, [...(edges.get(file) ?? []), target]);
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) found.push([...path.slice(at), file].join(' → '));
    if (at >= 0 || done.has(file)) return;
    for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of edges.keys()) visit(file, []);
  return found;
}

const files = ['src', ...Object.keys(WORKSHOP)].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => join(folder, path)),
);
const all = files.flatMap((file) => importsOf(file, readFileSync(join(ROOT, file), 'utf8')));

describe('boxes', () => {
  it('point down and never up', () => {
    expect(all.length).toBeGreaterThan(100);
    expect(violations(all)).toEqual([]);
  });

  it('have no circle of imports, types included', () => {
    expect(circles(all)).toEqual([]);
  });

  it('are seen to be broken when they are', () => {
    const source = ['../store/db.ts', 'zod', '../contracts/tenant.ts', '../../simulator/simulator.ts']
      .map((from) => `import type { A } from '${from}';`)
      .join('\n');
    expect(violations(importsOf('src/workflows/example.ts', source))).toEqual([
      'src/workflows/example.ts imports src/store/db.ts',
      'src/workflows/example.ts imports zod',
      'src/workflows/example.ts imports simulator/simulator.ts',
    ]);
    expect(
      circles([
        ...importsOf('src/a.ts', `import type { B } from '${'./b.ts'}';`),
        ...importsOf('src/b.ts', `import { a } from '${'./a.ts'}';`),
      ]),
    ).toEqual(['src/a.ts → src/b.ts → src/a.ts']);
  });
});
