import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { scratchFolder } from '../../support/dev-world.ts';

const SETUP = join(import.meta.dirname, '../../../scripts/setup.mjs');
/** Without what whoever runs the tests has told git. */
const NOBODYS_GIT = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };

/** A clone with two packages in its lock file, and an npm that installs them from the folder next to it. */
class Clone {
  readonly root = join(scratchFolder(), 'clone');
  readonly #outside = join(this.root, '..');

  constructor(npm = 'sleep 0.3; rm -rf node_modules; cp -r ../packages node_modules') {
    const packages = { 'node_modules/node': { version: '24.0.0' }, 'node_modules/ms': { version: '2.0.0' } };
    const optional = { 'node_modules/for-another-machine': { version: '1.0.0', optional: true } };
    this.#write('clone/package-lock.json', JSON.stringify({ packages: { '': {}, ...packages, ...optional } }));
    this.#write('packages/.package-lock.json', JSON.stringify({ packages }));
    for (const name of ['node', 'ms']) this.#write(`packages/${name}/package.json`, '{}');
    this.#write('packages/node/bin/node', '');
    this.#write('bin/npm', `#!/bin/sh\necho "$@" >> ../calls\n${npm}\n`);
    chmodSync(join(this.#outside, 'bin/npm'), 0o755);
  }

  async setup(more: Readonly<Record<string, string>> = {}): Promise<{ code: number | null; said: string }> {
    // As npm runs it: what is installed comes first on PATH, and may just be what has to go.
    const path = `${join(this.root, 'node_modules/.bin')}:${join(this.#outside, 'bin')}:/usr/bin:/bin`;
    const env = { ...process.env, ...NOBODYS_GIT, CI: '', PATH: path, ...more };
    const child = spawn(process.execPath, [SETUP, this.root], { env });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, said };
  }

  git(...args: readonly string[]): string {
    return execFileSync('git', args, { cwd: this.root, encoding: 'utf8', env: { ...process.env, ...NOBODYS_GIT } });
  }

  calls(): readonly string[] {
    const file = join(this.#outside, 'calls');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  }

  path(...names: readonly string[]): string {
    return join(this.root, ...names);
  }

  #write(path: string, text: string): void {
    const whole = join(this.#outside, path);
    mkdirSync(join(whole, '..'), { recursive: true });
    writeFileSync(whole, text);
  }
}

describe('the set-up of a clone', () => {
  test('installs from the lock file, says so, and the second time does and says nothing', async () => {
    const clone = new Clone();
    const first = await clone.setup();
    expect(first).toMatchObject({ code: 0, said: expect.stringContaining('npm ci (nothing is installed yet)') });
    expect(clone.calls()).toEqual([expect.stringMatching(/^ci /)]);
    expect(await clone.setup()).toEqual({ code: 0, said: '' });
    expect(clone.calls()).toHaveLength(1);
  });

  test.each([
    [
      'a package is another version',
      (clone: Clone) => writeFileSync(clone.path('node_modules/.package-lock.json'), '{"packages":{}}'),
    ],
    ['a package is gone', (clone: Clone) => rmSync(clone.path('node_modules/ms'), { recursive: true })],
    ['Node was not fetched', (clone: Clone) => rmSync(clone.path('node_modules/node/bin/node'))],
    ['an install was cut short', (clone: Clone) => rmSync(clone.path('node_modules/.package-lock.json'))],
  ])('installs again when %s', async (_, damage) => {
    const clone = new Clone();
    await clone.setup();
    damage(clone);
    expect((await clone.setup()).code).toBe(0);
    expect(clone.calls()).toHaveLength(2);
  });

  test('three at once install once', async () => {
    const clone = new Clone();
    const all = await Promise.all([clone.setup(), clone.setup(), clone.setup()]);
    expect(all.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(clone.calls()).toHaveLength(1);
    expect(all.filter(({ said }) => said.includes('another set-up')).length).toBe(2);
  });

  test('the lock of a set-up that was killed does not stop the next', async () => {
    const clone = new Clone();
    const lock = clone.path('.cache/setup.lock');
    mkdirSync(lock, { recursive: true });
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(lock, longAgo, longAgo);
    expect((await clone.setup()).code).toBe(0);
    expect(existsSync(lock)).toBe(false);
  });

  test('a failing npm is one message with its last words', async () => {
    const clone = new Clone('echo "npm error network unreachable" >&2; exit 1');
    const { code, said } = await clone.setup();
    expect(code).toBe(1);
    expect(said).toContain('npm ci failed:\n  npm error network unreachable');
    expect(existsSync(clone.path('.cache/setup.lock'))).toBe(false);
  });

  test('an npm that runs no install scripts is found out', async () => {
    const clone = new Clone('cp -r ../packages node_modules; rm node_modules/node/bin/node');
    const { code, said } = await clone.setup();
    expect(code).toBe(1);
    expect(said).toContain('npm ci went through, and yet Node 24 is not there');
  });

  test('puts the git hooks to use, once, and never in place of others', async () => {
    const clone = new Clone();
    mkdirSync(clone.path('.githooks'));
    const hooks = (): string => clone.git('config', '--default', 'none', '--get', 'core.hooksPath').trim();
    expect((await clone.setup()).said).not.toContain('.githooks');
    clone.git('init', '--quiet');
    await clone.setup({ CI: 'true' });
    expect(hooks()).toBe('none');
    expect((await clone.setup()).said).toContain('git runs the checks of .githooks before each commit');
    expect(hooks()).toBe('.githooks');
    expect(await clone.setup()).toEqual({ code: 0, said: '' });
    clone.git('config', 'core.hooksPath', '/home/ann/hooks');
    expect(await clone.setup()).toEqual({ code: 0, said: '' });
    expect(hooks()).toBe('/home/ann/hooks');
  });

  test('the real clone is set up: these tests run on it', () => {
    expect(execFileSync(process.execPath, [SETUP], { encoding: 'utf8' })).toBe('');
  });
});
