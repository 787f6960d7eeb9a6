import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';

const ROOT = join(import.meta.dirname, '../../..');

/** Prints the address of each module that the process loads. */
const HOOK = `data:text/javascript,${encodeURIComponent(
  `import { registerHooks } from 'node:module';
   registerHooks({ load(url, context, next) { process.stdout.write('LOADED ' + url + '\\n'); return next(url, context); } });`,
)}`;

/** Complete, and leading nowhere: a worker loads all its code, and ends when Postgres does not answer; the others are up then. */
const NOWHERE = {
  DATABASE_URL: 'postgres://127.0.0.1:1/none',
  TEMPORAL_ADDRESS: '127.0.0.1:1',
  SQS_ENDPOINT: 'http://127.0.0.1:1',
  OPERATOR_KEYS: '0123456789abcdef0123456789abcdef',
  SECRET_KEYS: `k1:${Buffer.alloc(32).toString('base64')}`,
  API_PORT: '0',
  LOG_LEVEL: 'info',
};

async function loadedBy(role: string): Promise<readonly string[]> {
  const child = spawn(process.execPath, ['--import', HOOK, join(ROOT, 'src/main.ts'), role], {
    env: { PATH: process.env['PATH'], ...NOWHERE },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const tooLong = setTimeout(() => child.kill('SIGKILL'), 25_000);
  let stdout = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    stdout += chunk;
    if (stdout.includes('"event":"role.up"')) child.kill('SIGTERM');
  }
  clearTimeout(tooLong);
  return [...stdout.matchAll(/^LOADED (file:.*)$/gm)].map(([, url]) => fileURLToPath(url ?? '').slice(ROOT.length + 1));
}

/** What is installed with `npm ci --omit=dev`, as paths under node_modules. */
function productionPackages(): ReadonlySet<string> {
  const lock = z
    .object({ packages: z.record(z.string(), z.looseObject({ dev: z.boolean().optional() })) })
    .parse(JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')));
  return new Set(
    Object.entries(lock.packages).flatMap(([path, { dev }]) => (path === '' || dev === true ? [] : [path])),
  );
}

const packageOf = (path: string): string => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? '';

describe.each(['api', 'ingest', 'worker', 'keys'])('node src/main.ts %s', (role) => {
  test('loads the product, its packages, and nothing of the workshop', async () => {
    const loaded = await loadedBy(role);
    expect(loaded).toContain(`src/roles/${role}.ts`);
    const own = loaded.filter((path) => !path.startsWith('node_modules/'));
    expect(own.filter((path) => !path.startsWith('src/'))).toEqual([]);
    const production = productionPackages();
    const packages = new Set(loaded.filter((path) => path.startsWith('node_modules/')).map(packageOf));
    expect(packages.size).toBeGreaterThan(10);
    expect([...packages].filter((path) => !production.has(path))).toEqual([]);
  });
});

test('the webhook endpoint alone loads no page, no command and no key of a tenant', async () => {
  const loaded = await loadedBy('ingest');
  const faces = /^src\/(?:api\/(?:app|codec|connect|console|feed|operators|pages)|tenants\/commands|store\/secret-box)/;
  expect(loaded.filter((path) => faces.test(path))).toEqual([]);
});

test('the image installs no emulator, no second Node and no tool', () => {
  const production = productionPackages();
  const workshop = ['@electric-sql/pglite', 'fauxqs', 'node', 'vitest', 'playwright-core', '@temporalio/testing'];
  expect(workshop.filter((name) => production.has(`node_modules/${name}`))).toEqual([]);
});
