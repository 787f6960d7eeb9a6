import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { PROJECT } from '../../support/compose/read.ts';
import { scratchFolder } from '../../support/dev-world.ts';

/** A checkout with the hooks, the real Biome and Vitest, and a test of layers that fails while `src/up.ts` is there. */
class Checkout {
  readonly #root = join(scratchFolder(), 'checkout');

  constructor() {
    mkdirSync(this.#root);
    for (const path of ['.githooks', 'biome.json'])
      cpSync(join(PROJECT, path), join(this.#root, path), { recursive: true });
    symlinkSync(join(PROJECT, 'node_modules'), join(this.#root, 'node_modules'));
    this.write('.gitignore', 'node_modules\n');
    this.write('package.json', `${JSON.stringify({ name: 'checkout', type: 'module' }, null, 2)}\n`);
    const project = `{ test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } }`;
    this.write('vitest.config.ts', `export default { test: { projects: [${project}] } };\n`);
    this.write(
      'test/unit/layers/layers.test.ts',
      `import { existsSync } from 'node:fs';\nimport { expect, it } from 'vitest';\n\nit('points down', () => expect(existsSync('src/up.ts')).toBe(false));\n`,
    );
    this.git('init', '--quiet');
    this.git('config', 'core.hooksPath', '.githooks');
    expect(this.commit('--no-verify')).toMatchObject({ status: 0 });
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.#root, path)), { recursive: true });
    writeFileSync(join(this.#root, path), text);
  }

  git(...args: readonly string[]): { readonly status: number | null; readonly said: string } {
    const own = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
    const who = ['-c', 'user.name=ann', '-c', 'user.email=ann@example.com'];
    const env = { ...process.env, ...own };
    const { status, stdout, stderr } = spawnSync('git', [...who, ...args], { cwd: this.#root, encoding: 'utf8', env });
    return { status, said: stdout + stderr };
  }

  commit(...options: readonly string[]) {
    this.git('add', '--all');
    return this.git('commit', '--quiet', '--message', 'x', ...options);
  }
}

test('a commit that CI would take goes through', () => {
  const checkout = new Checkout();
  checkout.write('src/good.ts', `export const good = 'yes';\n`);
  expect(checkout.commit()).toMatchObject({ status: 0 });
  // What is wrong, and no part of the commit, is another commit's matter.
  checkout.write('src/wide.ts', `export const wide  = "yes"\n`);
  expect(checkout.git('commit', '--quiet', '--allow-empty', '--message', 'x')).toMatchObject({ status: 0 });
});

test.each([
  ['is not formatted', 'src/wide.ts', `export const wide  = "yes"\n`, 'npm run format'],
  ['has lint', 'src/lint.ts', `export const lint: any = 1;\n`, 'npm run lint:fix'],
  ['points up', 'src/up.ts', `export const up = 1;\n`, 'test/unit/layers/layers.test.ts'],
])('a file that %s is refused, with the command that helps', (_, path, text, fix) => {
  const checkout = new Checkout();
  checkout.write(path, text);
  const { status, said } = checkout.commit();
  expect(status).toBe(1);
  expect(said).toMatch(/^pre-commit: .*To fix /m);
  expect(said).toContain(fix);
});
