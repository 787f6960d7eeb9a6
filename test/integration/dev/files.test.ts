import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readOrMakeKeys } from '../../../dev/keys.ts';
import { LogFile } from '../../../dev/log-file.ts';
import { scratchFolder } from '../../support/dev-world.ts';

describe('the keys of a DATA_DIR', () => {
  test('are made once, for their owner only', () => {
    const folder = scratchFolder();
    const made = readOrMakeKeys(folder);
    expect(readOrMakeKeys(folder)).toEqual(made);
    expect(statSync(join(folder, 'keys.json')).mode & 0o777).toBe(0o600);
    expect(Buffer.from(made.secretKeys.replace(/^embedded:/, ''), 'base64')).toHaveLength(32);
    expect(readOrMakeKeys(scratchFolder())).not.toEqual(made);
  });

  test('are never replaced when they cannot be read: what they encrypted would be lost', () => {
    const folder = scratchFolder();
    writeFileSync(join(folder, 'keys.json'), '{"operatorKey": "half a fi');
    expect(() => readOrMakeKeys(folder)).toThrow('keys.json is damaged');
    expect(readFileSync(join(folder, 'keys.json'), 'utf8')).toContain('half a fi');
  });
});

describe('a log file', () => {
  test('goes on where an earlier start stopped, and stays within its bounds', () => {
    const path = join(scratchFolder(), 'logs', 'part.log');
    const line = `${'x'.repeat(99)}\n`;
    for (let start = 0; start < 4; start += 1) {
      const log = new LogFile(path, 1_000);
      for (let i = 0; i < 8; i += 1) log.write(line);
      log.close();
    }
    expect(statSync(path).size).toBe(200);
    expect(statSync(`${path}.1`).size).toBe(1_000);
  });
});
