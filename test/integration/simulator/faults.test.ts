import { expect, test } from 'vitest';
import { startGladly } from '../../support/simulator/gladly.ts';

test('a fault hits the endpoint it names, as often as it says, and no other', async () => {
  const gladly = await startGladly();
  await gladly.fault({ method: 'GET', path: '/api/v1/conversations/*/items', times: 2, status: 503 });
  expect((await gladly.api('GET', '/conversations/x')).status).toBe(404);
  const first = await gladly.api('GET', '/conversations/x/items');
  expect([first.status, first.json]).toMatchObject([503, { errors: [{ code: 'temporary_failure' }] }]);
  expect((await gladly.api('GET', '/conversations/y/items')).status).toBe(503);
  expect((await gladly.api('GET', '/conversations/x/items')).status).toBe(404);
});

test('a fault ends after its time, or when it is removed', async () => {
  const gladly = await startGladly();
  const status = async () => (await gladly.api('GET', '/teams')).status;
  await gladly.fault({ path: '/api/**', status: 500, forMs: 300 });
  expect([await status(), await status()]).toEqual([500, 500]);
  await expect.poll(status).toBe(200);
  const { id } = await gladly.fault({ status: 502 });
  expect(await status()).toBe(502);
  expect((await gladly.call('DELETE', `/simulator/faults/${id}`)).status).toBe(200);
  expect(await status()).toBe(200);
  await gladly.fault({ status: 502 });
  await gladly.call('DELETE', '/simulator/faults');
  expect(await status()).toBe(200);
});

test('the answer can be HTML, empty, huge, a redirect, or carry headers', async () => {
  const gladly = await startGladly();
  const once = async (fault: object) => {
    await gladly.fault({ times: 1, ...fault });
    return gladly.api('GET', '/inboxes');
  };
  const html = await once({ status: 502, body: 'html' });
  expect([html.status, html.headers.get('content-type'), html.text.slice(0, 6)]).toEqual([502, 'text/html', '<html>']);
  const empty = await once({ status: 401, body: 'empty' });
  expect([empty.status, empty.text]).toEqual([401, '']);
  expect((await once({ status: 200, body: 'huge' })).text.length).toBeGreaterThan(60_000_000);
  const redirect = await once({ redirectTo: 'http://elsewhere.example/' });
  expect([redirect.status, redirect.headers.get('location')]).toEqual([302, 'http://elsewhere.example/']);
  const limited = await once({ status: 429, headers: { 'retry-after': '7' } });
  expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '7']);
});

test('the real answer can be late, unreadable, cut off, or missing', async () => {
  const gladly = await startGladly();
  const started = Date.now();
  await gladly.fault({ times: 1, delayMs: 150 });
  expect((await gladly.api('GET', '/topics')).status).toBe(200);
  expect(Date.now() - started).toBeGreaterThanOrEqual(149);

  await gladly.fault({ times: 1, malformed: true });
  const malformed = await gladly.api('GET', '/topics');
  expect([malformed.status, malformed.json]).toEqual([200, undefined]);
  expect(malformed.text).toMatch(/^\[\{"id"/);

  await gladly.fault({ times: 1, cut: true });
  await expect(gladly.api('GET', '/topics')).rejects.toThrow('terminated');

  await gladly.fault({ times: 1, hang: true });
  const waiting = fetch(`${gladly.url}/api/v1/topics`, { signal: AbortSignal.timeout(200) });
  await expect(waiting).rejects.toThrow('timeout');
  expect((await gladly.api('GET', '/topics')).status).toBe(200);
});

test('a fault that says nothing of what goes wrong is refused', async () => {
  const gladly = await startGladly();
  for (const fault of [{}, { times: 1 }, { status: 99 }, { status: 500, path: 'no-slash' }, { explode: true }]) {
    expect((await gladly.call('POST', '/simulator/faults', fault)).status).toBe(422);
  }
});

test('closing does not wait for an answer that is delayed or hangs', async () => {
  const gladly = await startGladly();
  await gladly.fault({ times: 1, delayMs: 60_000 });
  await gladly.fault({ times: 1, hang: true });
  const waiting = [gladly.api('GET', '/topics'), gladly.api('GET', '/topics')];
  const ended = Promise.allSettled(waiting);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const started = Date.now();
  await gladly.close();
  expect(Date.now() - started).toBeLessThan(20_000);
  expect((await ended).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});
