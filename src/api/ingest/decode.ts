import type { Buffer } from 'node:buffer';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { type Body, MAX_BODY_BYTES } from './body.ts';

/** By the names of content-encoding (RFC 9110, 8.4.1). */
const DECODERS: Readonly<Record<string, (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>>> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
};

/** True when `decode` can read a body with this content-encoding; undefined stands for no header. */
export const isDecodable = (encoding: string | undefined): boolean =>
  encoding === undefined || isPlain(encoding) || Object.hasOwn(DECODERS, encoding.toLowerCase());

/**
 * The body without its content-encoding, `limit` bytes at most: no more memory is used, whatever it would become. Bytes that are not so encoded stay as
 * they came: an authenticated delivery is not refused for what it says.
 */
export async function decode(bytes: Buffer, encoding: string | undefined, limit = MAX_BODY_BYTES): Promise<Body> {
  const decoder = encoding === undefined || isPlain(encoding) ? undefined : DECODERS[encoding.toLowerCase()];
  if (decoder === undefined) return { kind: 'whole', bytes };
  try {
    return { kind: 'whole', bytes: await decoder(bytes, { maxOutputLength: limit }) };
  } catch (error) {
    const isTooLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    return isTooLarge ? { kind: 'too_large' } : { kind: 'whole', bytes };
  }
}

const isPlain = (encoding: string): boolean => encoding === '' || encoding.toLowerCase() === 'identity';
