import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';

const lockFile = z.object({
  packages: z.record(
    z.string(),
    z.object({ integrity: z.string().optional(), optional: z.boolean().optional() }).loose(),
  ),
});

/** docs/decisions/0006-lock-file.md */
it('every package of the lock file, of whatever platform, has its hash', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../package-lock.json'), 'utf8');
  const { packages } = lockFile.parse(JSON.parse(text));
  const entries = Object.entries(packages).filter(([path]) => path !== '');
  expect(entries.length).toBeGreaterThan(100);
  expect(entries.filter(([, { integrity }]) => !integrity?.startsWith('sha512-')).map(([path]) => path)).toEqual([]);
});
