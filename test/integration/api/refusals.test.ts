import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTenant } from '../../../src/store/tenants.ts';
import { issueWebhookKey } from '../../../src/store/webhook-keys.ts';
import { type BareApi, postForm, startBareApi } from '../../support/bare-api.ts';
import { KEYS } from '../../support/browser/operator.ts';

describe('an API', () => {
  let api: BareApi;
  let sender = 0;

  beforeAll(async () => {
    // As behind a balancer: each test comes from an address of its own.
    api = await startBareApi({ PROXIES: '1' });
    await createTenant(api.db, { tenantId: 'acme', name: 'Acme', retentionDays: 4 });
    await issueWebhookKey(api.db, 'acme');
  });
  beforeEach(() => {
    sender += 1;
  });
  afterAll(async () => {
    await api?.close();
  });

  const from = () => ({ 'x-forwarded-for': `192.0.2.${sender}` });
  const asKey = (key: string) => ({ authorization: `Bearer ${key}`, ...from() });
  const WRONG = 'w'.repeat(36);
  const refusedIn = (before: number) =>
    api.log
      .slice(before)
      .filter((line) => line.includes('operator.key_refused'))
      .map((line) => JSON.parse(line) as { place: string; address: string });
  const counted = async (place: string): Promise<number> => {
    const text = await (await fetch(`${api.url}/metrics`)).text();
    return Number(new RegExp(`operator_keys_refused_total\\{place="${place}"\\} (\\d+)`).exec(text)?.[1]);
  };

  const ways: readonly (readonly [string, number, (key: string) => Promise<Response>, number])[] = [
    ['api', 401, (key) => fetch(`${api.url}/v1/tenants`, { headers: asKey(key) }), 200],
    ['console', 422, (key) => postForm(`${api.url}/console/sign-in`, { key }, from()), 303],
    [
      'codec',
      401,
      (key) =>
        fetch(`${api.url}/codec/decode`, {
          method: 'POST',
          headers: { ...asKey(key), 'content-type': 'application/json' },
          body: '{"payloads":[]}',
        }),
      200,
    ],
  ];

  it.each(ways)(
    'counts, logs and slows down wrong operator keys at the %s, and never the right one',
    async (place, refused, show, taken) => {
      const [before, countedBefore] = [api.log.length, await counted(place)];
      const statuses: number[] = [];
      for (let n = 0; n < 30; n += 1) statuses.push((await show(WRONG)).status);
      expect(statuses.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => refused));
      expect(statuses.at(-1)).toBe(429);
      expect((await show(KEYS.ann)).status).toBe(taken);
      expect(await counted(place)).toBe(countedBefore + 30);
      const lines = refusedIn(before);
      expect(lines.length).toBeGreaterThanOrEqual(20);
      expect(lines.length).toBeLessThan(30);
      expect(lines[0]).toMatchObject({ place, address: `192.0.2.${sender}` });
      expect(api.log.slice(before).join('')).not.toContain(WRONG);
      // Another address is not slowed down.
      sender += 100;
      expect((await show(WRONG)).status).toBe(refused);
      sender -= 100;
    },
  );

  it('counts no request without a key', async () => {
    const before = api.log.length;
    for (let n = 0; n < 25; n += 1) {
      expect((await fetch(`${api.url}/v1/tenants`, { headers: from() })).status).toBe(401);
    }
    expect(refusedIn(before)).toEqual([]);
  });

  it.each([
    '/v1/tenants',
    '/v1/tenants/acme',
    '/v1/tenants/acme/conversations',
    '/v1/tenants/nobody',
    '/v1/nothing',
    '/openapi.json',
    '/health/live',
    '/health/ready',
    '/console/tenants/acme/measurements',
  ])('has no answer kept or taken for something else: %s', async (path) => {
    const { headers } = await fetch(`${api.url}${path}`, { headers: asKey(KEYS.ann), redirect: 'manual' });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('keeps none that holds a key, nor refusals of the webhook; its files may be kept', async () => {
    const init = { method: 'POST', headers: asKey(KEYS.ann) };
    const made = await fetch(`${api.url}/v1/tenants/acme/webhook-key`, init);
    expect([made.status, made.headers.get('cache-control')]).toEqual([201, 'no-store']);
    const refused = await fetch(`${api.url}/webhooks/gladly/acme`, { method: 'POST', headers: from() });
    expect([refused.status, refused.headers.get('cache-control')]).toEqual([401, 'no-store']);
    const page = await (await fetch(`${api.url}/console/sign-in`)).text();
    const script = /src="(\/assets\/page[^"]+)"/.exec(page)?.[1] ?? '';
    expect((await fetch(`${api.url}${script}`)).headers.get('cache-control')).toContain('immutable');
  });

  it.each([
    ['http://evil.example:3160', 403],
    ['https://gladly.example.com.evil.example', 403],
    ['https://gladly.example.com', 403],
    ['http://localhost:9999', 422],
  ])('takes a form of a page at %s: %s', async (origin, status) => {
    // To the browser both are of one site, as the stranger's name leads to us.
    const answer = await postForm(
      `${api.url}/console/sign-in`,
      { key: '' },
      { origin, 'sec-fetch-site': 'same-origin' },
    );
    expect(answer.status).toBe(status);
  });
});
