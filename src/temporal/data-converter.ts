import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { createPayloadCodec } from './payload-codec.ts';

/** A workflow bundle is made with it: see bundleWorkflowCode. */
export const failureConverterPath = fileURLToPath(new URL('./failure-converter.ts', import.meta.url));

/**
 * What every client, worker and replay uses: payloads and failures are encrypted under the first of SECRET_KEYS, and decrypted under any of them.
 * Search attributes, ids, workflow types and signal names are never encrypted.
 */
export function createDataConverter(
  secretKeys: readonly { readonly id: string; readonly key: string }[],
): DataConverter & { readonly failureConverterPath: string } {
  return { failureConverterPath, payloadCodecs: [createPayloadCodec(secretKeys)] };
}
