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
  for (const folder of ['.ci', 'bin', 'test', 'e2e']) mkdirSync(join(clone, folder));
  cpSync(join(PROJECT, '.ci/run'), join(clone, '.ci/run'));
  symlinkSync(join(PROJECT, 'node_modules'), join(clone, 'node_modules'));
  project({});
  e2eReport({ passed: ['all of it'] });
  // What a machine lacks is not installed from a test.
  writeFileSync(join(clone, 'bin/apt-get'), `#!/bin/sh\necho "$@" >> ${join(clone, 'apt.log')}\n`);
  chmodSync(join(clone, 'bin/apt-get'), 0o755);
});
afterEach(() => rmSync(clone, { recursive: true, force: true }));

/** The scripts of the project: a check that passes, the real Vitest as `test`, and a copied report as `test:e2e`, which is quicker. */
function project(scripts: Readonly<Record<string, string>>): void {
  const all = { check: 'true', test: 'vitest run --root . test', 'test:e2e': 'node e2e/copy.cjs', ...scripts };
  writeFileSync(join(clone, 'package.json'), JSON.stringify({ name: 'clone', type: 'module', scripts: all }));
}

function testFile(name: string, body: string): void {
  writeFileSync(join(clone, 'test', `${name}.test.ts`), `import { expect, test } from 'vitest';\n${body}\n`);
}

/** What `test:e2e` reports, in Vitest's words. */
function e2eReport(names: Readonly<Partial<Record<'passed' | 'retried' | 'failed', readonly string[]>>>): void {
  const tests = Object.entries(names).flatMap(([how, titles]) =>
    titles.map((title) => ({
      ancestorTitles: [''],
      title,
      status: how === 'failed' ? 'failed' : 'passed',
      failureMessages: how === 'passed' ? [] : ['AssertionError'],
    })),
  );
  const numFailedTests = names.failed?.length ?? 0;
  const status = numFailedTests === 0 ? 'passed' : 'failed';
  const testResults = [{ name: join(clone, 'e2e/slow.test.ts'), status, assertionResults: tests }];
  const report = { numPassedTests: tests.length - numFailedTests, numFailedTests, testResults };
  writeFileSync(join(clone, 'e2e/report.json'), JSON.stringify(report));
  writeFileSync(
    join(clone, 'e2e/copy.cjs'),
    `const to = process.argv.find((arg) => arg.startsWith('--outputFile.json=')).split('=')[1];
     require('node:fs').copyFileSync('e2e/report.json', to);
     process.exit(${numFailedTests === 0 ? 0 : 1});`,
  );
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

test('all is well: the check counts as one, both lanes are added up, and the output of Vitest is shown', async () => {
  testFile('good', `test('a', () => {}); test('b', () => expect(process.env.CI).toBe('true'));`);
  e2eReport({ passed: ['c', 'd'] });
  const { code, lines } = await run();
  expect(lines.at(-1)).toBe('5 passed, 0 failed');
  expect(code).toBe(0);
  expect(lines.join('\n')).toContain('test/good.test.ts');
  expect(lines.join('\n')).not.toContain('retried:');
});

test('a test that fails, a file that breaks before its tests, and one that fails in the other lane', async () => {
  testFile('mixed', `test('a', () => {}); test('b', () => expect(1).toBe(2));`);
  testFile('broken', `throw new Error('broken');`);
  e2eReport({ passed: ['c'], failed: ['d'] });
  const { code, lines } = await run();
  expect(lines.slice(-4).toSorted()).toEqual([
    '3 passed, 3 failed',
    'failed: e2e/slow.test.ts > d: AssertionError',
    'failed: test/broken.test.ts: broken',
    'failed: test/mixed.test.ts > b: AssertionError: expected 1 to be 2 // Object.is equality',
  ]);
  expect(lines.at(-1)).toBe('3 passed, 3 failed');
  expect(code).toBe(1);
  expect(lines.join('\n')).not.toContain('retried:');
});

test('an error outside any test', async () => {
  testFile(
    'late',
    `test('a', () => { setTimeout(() => { throw new Error('late'); }, 5); return new Promise((r) => setTimeout(r, 50)); });`,
  );
  const { code, lines } = await run();
  expect(lines.at(-1)).toBe('3 passed, 1 failed');
  expect(code).toBe(1);
});

test('a check that fails does not keep the tests from running', async () => {
  project({ check: 'exit 3' });
  testFile('good', `test('a', () => {});`);
  const { code, lines } = await run();
  expect(lines.at(-1)).toBe('2 passed, 1 failed');
  expect(code).toBe(1);
});

test('a lane that leaves no report, and one with nothing to run', async () => {
  project({ test: 'exit 0' });
  const crashed = await run();
  expect(crashed).toMatchObject({ code: 1 });
  expect(crashed.lines.at(-1)).toBe('2 passed, 1 failed');
  project({ 'test:e2e': 'exit 1' });
  const empty = await run();
  expect(empty).toMatchObject({ code: 1 });
  expect(empty.lines.at(-1)).toBe('1 passed, 2 failed');
});

const FAILS_ONCE = `let tries = 0; test('by chance', () => { tries += 1; expect(tries).toBe(2); });`;

test('a test that passed only when it was tried again is named; up to three of them are let through', async () => {
  testFile('flaky', `${FAILS_ONCE} test('surely', () => {});`);
  e2eReport({ passed: ['c'], retried: ['d', 'e'] });
  const { code, lines } = await run();
  expect(lines.filter((line) => line.startsWith('retried: '))).toEqual([
    'retried: test/flaky.test.ts > by chance: AssertionError: expected 1 to be 2 // Object.is equality',
    'retried: e2e/slow.test.ts > d: AssertionError',
    'retried: e2e/slow.test.ts > e: AssertionError',
  ]);
  expect(lines.at(-1)).toBe('6 passed, 0 failed');
  expect(code).toBe(0);
});

test('more than three that passed only when they were tried again fail the run, and it says why', async () => {
  testFile('flaky', FAILS_ONCE);
  e2eReport({ retried: ['d', 'e', 'f'] });
  const { code, lines } = await run();
  expect(lines.filter((line) => line.startsWith('retried: '))).toHaveLength(4);
  expect(lines).toContain('! 4 tests passed only when they were tried again; more than 3 of them fail the run');
  expect(lines.at(-1)).toBe('5 passed, 1 failed');
  expect(code).toBe(1);
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
