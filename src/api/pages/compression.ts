import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

export type Encoding = 'br' | 'gzip' | 'identity';

/** What the browser accepts, the smallest first. */
export function encodingFor(acceptEncoding: string): Encoding {
  if (/\bbr\b/.test(acceptEncoding)) return 'br';
  return /\bgzip\b/.test(acceptEncoding) ? 'gzip' : 'identity';
}

/** `once`: worth the time for what is sent again and again. A page is made for one reader: 4 is quick and nearly as small. */
export function compress(body: Buffer, encoding: Encoding, once: boolean): Buffer {
  switch (encoding) {
    case 'br':
      return brotliCompressSync(body, {
        params: { [constants.BROTLI_PARAM_QUALITY]: once ? 11 : 4, [constants.BROTLI_PARAM_SIZE_HINT]: body.length },
      });
    case 'gzip':
      return gzipSync(body, { level: once ? 9 : 6 });
    case 'identity':
      return body;
  }
}
