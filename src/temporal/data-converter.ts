import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { createPayloadCodec } from './payload-codec.ts';

/** The workflow bundle is made with both (bundle-options.ts). */
export const failureConverterPath = fileURLToPath(new URL('./failure-converter.ts', import.meta.url));
export const payloadConverterPath = fileURLToPath(new URL('./payload-converter.ts', import.meta.url));

/**
 * What every client, worker and replay uses: payloads and failures are encrypted under the first of SECRET_KEYS, and decrypted under any of them.
 * Search attributes, ids, workflow types and signal names are never encrypted.
 */
export function createDataConverter(
  secretKeys: readonly { readonly id: string; readonly key: string }[],
): DataConverter {
  return { failureConverterPath, payloadConverterPath, payloadCodecs: [createPayloadCodec(secretKeys)] };
}
