import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The code is 2 MB with its source map. */
const MOST_BYTES = 64 * 1_024 * 1_024;
/** It takes 2 s on two idle cores. */
const LONGEST_MS = 120_000;

/**
 * What Temporal runs workflows from: the bundle in the file `made`, or else one that is made now, in a process of its own, because webpack leaves
 * some 180 MB behind in the one that it has run in. Throws what that process said when it failed.
 */
export async function workflowBundle(
  made?: string,
): Promise<{ readonly code: string } | { readonly codePath: string }> {
  if (made !== undefined) return { codePath: made };
  const script = fileURLToPath(new URL('./bundle-workflows.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script], {
    maxBuffer: MOST_BYTES,
    timeout: LONGEST_MS,
  });
  return { code: stdout };
}
