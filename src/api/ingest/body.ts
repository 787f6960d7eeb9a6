import { Buffer } from 'node:buffer';
import type { IncomingMessage } from 'node:http';

/** A Gladly event has about 400 bytes: ids and names only (gladly.md 1.1). The limit is our own: some 500 times as much. */
export const MAX_BODY_BYTES = 256 * 1024;

export type Body =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'too_large' }
  /** The connection ended first, or the server's time limit ended it. */
  | { readonly kind: 'cut_off' };

/** Reads the raw body, and never more than the limit. Time limits are the server's: it cuts the connection. */
export function readBody(request: IncomingMessage, limit = MAX_BODY_BYTES): Promise<Body> {
  const announced = request.headers['content-length'];
  if (announced !== undefined && Number(announced) > limit) return Promise.resolve({ kind: 'too_large' });
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size <= limit) {
        chunks.push(chunk);
        return;
      }
      // Whoever answers decides what happens to the rest.
      request.off('data', onData).pause();
      chunks.length = 0;
      resolve({ kind: 'too_large' });
    };
    request.on('data', onData);
    request.on('end', () => resolve({ kind: 'whole', bytes: joined(chunks) }));
    request.on('error', () => resolve({ kind: 'cut_off' }));
    request.on('close', () => resolve({ kind: 'cut_off' }));
  });
}

function joined(chunks: readonly Buffer[]): Buffer {
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
}
