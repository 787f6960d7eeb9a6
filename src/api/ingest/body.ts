import { Buffer } from 'node:buffer';
import type { IncomingMessage } from 'node:http';

/** Largest body that is accepted, in bytes: a limit of our own. A Gladly event has about 400 bytes, ids and names only (gladly.md 1.1). */
export const MAX_BODY_BYTES = 256 * 1024;

export type Body =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'too_large' }
  /** The connection ended before the body did: by the sender, or by the server's time limit. */
  | { readonly kind: 'cut_off' };

/**
 * Reads the raw body, `limit` bytes at most. Never rejects. After `too_large` the request is paused and the rest of its body is unread. There is no
 * time limit here: the server has one (ServerLimits.requestTimeoutMs) and cuts the connection, which is `cut_off`.
 */
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
      // The caller decides whether the rest is read.
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
