import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequestState } from '../../../src/api/http/request-log.ts';
import { assetRoutes, assetUrl } from '../../../src/api/pages/assets.ts';

describe('files of the pages', () => {
  const app = new Koa<RequestState>().use(assetRoutes().routes());
  let server: ReturnType<typeof app.listen>;
  let base: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => {
      server = app.listen(0, '127.0.0.1', resolve);
    });
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.close();
  });
  const get = (headers: Record<string, string>, url = assetUrl('style.css')) => fetch(base + url, { headers });

  it('are kept for good, and are the same in each encoding', async () => {
    const plain = await get({ 'accept-encoding': 'identity' });
    expect(plain.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(plain.headers.get('content-type')).toBe('text/css; charset=utf-8');
    const text = await plain.text();
    for (const encoding of ['br', 'gzip']) {
      const packed = await get({ 'accept-encoding': encoding });
      expect(packed.headers.get('content-encoding')).toBe(encoding);
      expect(Number(packed.headers.get('content-length'))).toBeLessThan(text.length / 2);
      expect(await packed.text()).toBe(text);
    }
  });

  it.each([
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip;q=1, br;q=0.5', 'br'],
    ['*', 'br'],
    ['br;q=0, gzip', 'gzip'],
    ['br;q=0, *', 'gzip'],
    ['GZIP', 'gzip'],
    ['br;q=0, gzip;q=0.000', null],
    ['zstd, not-br', null],
    ['', null],
  ])('are sent to who accepts %j in %s', async (accepted, encoding) => {
    const { headers } = await get({ 'accept-encoding': accepted });
    expect(headers.get('content-encoding')).toBe(encoding);
  });

  it('are not sent again to who has them', async () => {
    const { headers } = await get({ 'accept-encoding': 'gzip' });
    const again = await get({
      'accept-encoding': 'gzip',
      'if-none-match': headers.get('etag') ?? '',
      'cache-control': 'max-age=0',
    });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe('');
  });

  it('are only those that we have', async () => {
    expect((await get({}, '/assets/style.css')).status).toBe(404);
    expect((await get({}, '/assets/..%2f..%2fmain.ts')).status).toBe(404);
  });
});
