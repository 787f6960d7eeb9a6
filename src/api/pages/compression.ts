import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { ApiContext } from '../http/endpoints.ts';

export type Encoding = 'br' | 'gzip' | 'identity';

/**
 * The smallest that the browser accepts. Each is asked for by itself: of several that weigh the same, Koa takes the one that the browser names
 * first, and browsers name gzip before br.
 */
export function encodingFor(ctx: Pick<ApiContext, 'acceptsEncodings'>): Encoding {
  return (['br', 'gzip'] as const).find((encoding) => ctx.acceptsEncodings(encoding)) ?? 'identity';
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
