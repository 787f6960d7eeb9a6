import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PROJECT } from '../../support/compose/read.ts';

let clone: string;

/** A project with .ci/run in it, and the real Vitest. */
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'ci-run-'));
  for (const folder of ['.ci', 'bin', 'test']) mkdirSync(join(clone, folder));
  cpSync(join(PROJECT, '.ci/run'), join(clone, '.ci/run'));
  symlinkSync(join(PROJECT, 'node_modules'), join(clone, 'node_modules'));
  project({ check: 'true', test: 'vitest run --root .' });
  // What a machine lacks is not installed from a test.
  writeFileSync(join(clone, 'bin/apt-get'), `#!/bin/sh\necho "$@" >> ${join(clone, 'apt.log')}\n`);
  chmodSync(join(clone, 'bin/apt-get'), 0o755);
});
afterEach(() => rmSync(clone, { recursive: true, force: true }));

function project(scripts: Readonly<Record<string, string>>): void {
  writeFileSync(join(clone, 'package.json'), JSON.stringify({ name: 'clone', type: 'module', scripts }));
}

function testFile(name: string, body: string): void {
  writeFileSync(join(clone, 'test', `${name}.test.ts`), `import { expect, test } from 'vitest';\n${body}\n`);
}

/** With a Postgres of its own left out: TEST_DATABASE_URL names one already. */
function run(
  path = [join(clone, 'bin'), process.env['PATH']].join(delimiter),
): Promise<{ readonly code: number | null; readonly lines: readonly string[] }> {
  const env = { PATH: path, HOME: clone, TEST_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' };
  return new Promise((resolve) => {
    const child = spawn(join(clone, '.ci/run'), { cwd: tmpdir(), env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.once('close', (code) => resolve({ code, lines: output.trimEnd().split('\n') }));
  });
}

test('all is well: the check counts as one, and the output of Vitest is shown', async () => {
  testFile('good', `test('a', () => {}); test('b', () => expect(process.env.CI).toBe('true'));`);
  const { code, lines } = await run();
  expect(lines.at(-1)).toBe('3 passed, 0 failed');
  expect(code).toBe(0);
  expect(lines.join('\n')).toContain('test/good.test.ts');
});

test('a test that fails, and a file that breaks before its tests', async () => {
  testFile('mixed', `test('a', () => {}); test('b', () => expect(1).toBe(2));`);
  testFile('broken', `throw new Error('broken');`);
  const { code, lines } = await run();
  expect(lines.at(-1)).toBe('2 passed, 2 failed');
  expect(code).toBe(1);
});

test('an error outside any test', async () => {
  testFile(
    'late',
    `test('a', () => { setTimeout(() => { throw new Error('late'); }, 5); return new Promise((r) => setTimeout(r, 50)); });`,
  );
  const { code, lines } = await run();
  expect(lines.at(-1)).toBe('2 passed, 1 failed');
  expect(code).toBe(1);
});

test('a check that fails does not keep the tests from running', async () => {
  project({ check: 'exit 3', test: 'vitest run --root .' });
  testFile('good', `test('a', () => {});`);
  const { code, lines } = await run();
  expect(lines.at(-1)).toBe('1 passed, 1 failed');
  expect(code).toBe(1);
});

test('a run that leaves no report, and one with nothing to run', async () => {
  project({ check: 'true', test: 'exit 0' });
  const crashed = await run();
  expect(crashed).toMatchObject({ code: 1 });
  expect(crashed.lines.at(-1)).toBe('1 passed, 1 failed');
  project({ check: 'true', test: 'vitest run --root .' });
  const empty = await run();
  expect(empty).toMatchObject({ code: 1 });
  expect(empty.lines.at(-1)).toBe('1 passed, 1 failed');
});

test('it installs what is missing, and only that', async () => {
  testFile('good', `test('a', () => {});`);
  // A machine that has these programs and no others.
  const path = join(clone, 'bin');
  for (const name of ['bash', 'sh', 'env', 'node', 'npm', 'mktemp', 'rm', 'dirname', 'timeout', 'tail', 'id', 'mvn']) {
    symlinkSync(name === 'mvn' ? '/bin/true' : onPath(name), join(path, name));
  }
  const { code } = await run(path);
  expect(code).toBe(0);
  const installed = / install .*/.exec(readFileSync(join(clone, 'apt.log'), 'utf8'))?.[0].split(' ');
  expect(installed).toEqual(expect.arrayContaining(['default-jre-headless', 'chromium']));
  expect(installed).not.toContain('maven');
});

const onPath = (name: string): string => execFileSync('which', [name], { encoding: 'utf8' }).trim();
