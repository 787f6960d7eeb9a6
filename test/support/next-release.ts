import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '../..');

/** One change of a file of `src/workflows`: the text that is there once, and what stands in its place. */
export type Edit = readonly [file: string, find: string, put: string];

/** The workflow bundle of a release with these changes, made from a copy of this commit as a worker makes its own. Throws when a change finds no place. */
export async function bundleWith(edits: readonly Edit[]): Promise<{ readonly code: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'release-'));
  try {
    await cp(join(ROOT, 'src'), join(folder, 'src'), { recursive: true });
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    await cp(join(ROOT, 'package.json'), join(folder, 'package.json'));
    for (const [file, find, put] of edits) {
      const path = join(folder, 'src/workflows', file);
      const [before, after, ...more] = (await readFile(path, 'utf8')).split(find);
      if (before === undefined || after === undefined || more.length > 0)
        throw new Error(`${file} has not once: ${find}`);
      await writeFile(path, before + put + after);
    }
    const script = join(folder, 'src/temporal/bundle-workflows.ts');
    const { stdout } = await promisify(execFile)(process.execPath, [script], { maxBuffer: 64 * 1_024 * 1_024 });
    return { code: stdout };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
