import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decode, isDecodable } from '../../../src/api/ingest/decode.ts';

const body = Buffer.from('{"type":"PING"}');

describe('a body with a content-encoding', () => {
  test.each([
    ['gzip', gzipSync(body)],
    ['x-gzip', gzipSync(body)],
    ['GZIP', gzipSync(body)],
    ['deflate', deflateSync(body)],
    ['br', brotliCompressSync(body)],
    ['identity', body],
    ['', body],
    [undefined, body],
  ])('%s is decoded', async (encoding, bytes) => {
    expect(isDecodable(encoding)).toBe(true);
    expect(await decode(bytes, encoding)).toEqual({ kind: 'whole', bytes: body });
  });

  test.each(['zstd', 'compress', 'gzip, gzip', 'constructor', 'x'])('%s cannot be decoded', (encoding) => {
    expect(isDecodable(encoding)).toBe(false);
  });

  test('may become as large as any body, and not a byte larger, whatever it weighs', async () => {
    expect(await decode(gzipSync(Buffer.alloc(256 * 1024)), 'gzip')).toMatchObject({ kind: 'whole' });
    expect(await decode(gzipSync(Buffer.alloc(256 * 1024 + 1)), 'gzip')).toEqual({ kind: 'too_large' });
    // 100 MB in 100 kB.
    const bomb = gzipSync(Buffer.alloc(100 * 1024 * 1024));
    const before = process.memoryUsage().arrayBuffers;
    expect(await decode(bomb, 'gzip')).toEqual({ kind: 'too_large' });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
  });

  test('that is not what it says stays as it came', async () => {
    expect(await decode(body, 'gzip')).toEqual({ kind: 'whole', bytes: body });
    const cut = gzipSync(body).subarray(0, -5);
    expect(await decode(cut, 'gzip')).toEqual({ kind: 'whole', bytes: cut });
  });
});
