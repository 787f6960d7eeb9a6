import { hkdfSync, randomBytes } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** The embedded world's own keys; what the environment gives comes before them. */
export interface DevKeys {
  /** An operator's bearer key. */
  readonly operatorKey: string;
  /** `keyId:base64(32 bytes)`, as SECRET_KEYS takes it. */
  readonly secretKeys: string;
}

/** What the embedded Postgres asks its clients for: 256 bits, and the same at each start. */
export const postgresPassword = ({ secretKeys }: DevKeys): string =>
  Buffer.from(hkdfSync('sha256', secretKeys, '', 'idiomatic embedded postgres v1', 32)).toString('base64url');

const devKeys = z.object({ operatorKey: z.string().min(32), secretKeys: z.string().min(44) });

/**
 * Reads the keys that an earlier start has made, or makes them: `DATA_DIR/keys.json`, readable by its owner only. A file that is
 * there and cannot be read is an error, never replaced: without its key the encrypted secrets of this DATA_DIR are lost.
 */
export function readOrMakeKeys(dataDir: string): DevKeys {
  const path = join(dataDir, 'keys.json');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    const made: DevKeys = {
      operatorKey: randomBytes(32).toString('base64url'),
      secretKeys: `embedded:${randomBytes(32).toString('base64')}`,
    };
    writeFileSync(`${path}.tmp`, `${JSON.stringify(made, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(`${path}.tmp`, path);
    return made;
  }
  try {
    return devKeys.parse(JSON.parse(text));
  } catch {
    throw new Error(`${path} is damaged: restore it, or remove all of ${dataDir} to begin anew`);
  }
}
