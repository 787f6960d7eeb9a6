import { expect, test } from 'vitest';
import { z } from 'zod';
import { createQuota } from '../../../simulator/rest/quota.ts';
import { DEFAULT_SETTINGS } from '../../../simulator/settings.ts';
import { startGladly } from '../../support/simulator/gladly.ts';

test('ten requests in any second, for each method; a refused one does not count', () => {
  let now = 5_000;
  const quota = createQuota({ ...DEFAULT_SETTINGS }, () => now);
  const take = (method = 'GET') => quota.take(method);

  for (let number = 9; number >= 0; number -= 1) {
    expect(take()).toEqual({ allowed: true, limit: 10, remaining: number });
    now += 50;
  }
  expect(take()).toEqual({ allowed: false, limit: 10, remaining: 0 });
  expect(take('PATCH')).toMatchObject({ allowed: true, remaining: 9 });
  now = 5_999;
  expect(take()?.allowed).toBe(false);
  // The first one is a second old now, and only the first.
  now = 6_000;
  expect(take()?.allowed).toBe(true);
  expect(take()?.allowed).toBe(false);
});

test('with a fixed window it starts anew with each second of the clock', () => {
  let now = 5_990;
  const quota = createQuota({ ...DEFAULT_SETTINGS, quotaWindow: 'fixed' }, () => now);
  for (let number = 0; number < 10; number += 1) expect(quota.take('GET')?.allowed).toBe(true);
  expect(quota.take('GET')?.allowed).toBe(false);
  now = 6_000;
  expect(quota.take('GET')).toMatchObject({ allowed: true, remaining: 9 });
});

test('a rival that asks for all of it leaves nothing, and one that asks for half leaves the rest', () => {
  let now = 5_000;
  const settings = { ...DEFAULT_SETTINGS, rivalPerSecond: 500 };
  const quota = createQuota(settings, () => now);
  const allowedIn = (seconds: number): number => {
    let allowed = 0;
    for (const end = now + seconds * 1_000; now < end; now += 50) if (quota.take('GET')?.allowed) allowed += 1;
    return allowed;
  };
  allowedIn(1);
  expect(allowedIn(10)).toBeLessThanOrEqual(10);
  settings.rivalPerSecond = 5;
  allowedIn(1);
  const left = allowedIn(10);
  expect(left).toBeGreaterThan(45);
  expect(left).toBeLessThan(95);
  settings.rivalPerSecond = 0;
  allowedIn(1);
  expect(allowedIn(10)).toBe(100);
});

test('is on by default, counted over all clients, and shown in two headers', async () => {
  const gladly = await startGladly({ quotaPerSecond: 10 });
  const stranger = { email: 'nobody@company.example', apiToken: 'x' };
  const replies = await Promise.all(
    Array.from({ length: 14 }, (_, index) =>
      gladly.api('GET', '/organization', undefined, index % 2 === 0 ? gladly.credentials : stranger),
    ),
  );
  const refused = replies.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(4);
  expect(replies.every(({ headers }) => headers.get('ratelimit-limit-second') === '10')).toBe(true);
  const remaining = replies.map(({ headers }) => Number(headers.get('ratelimit-remaining-second')));
  expect(remaining.sort((a, b) => b - a)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 0]);
  expect(refused[0]?.headers.get('retry-after')).toBeNull();
});

test('can be changed and lifted; the calls are counted by endpoint and client', async () => {
  const gladly = await startGladly({ quotaPerSecond: 2 });
  const three = () => Promise.all([1, 2, 3].map(() => gladly.api('GET', '/inboxes')));
  expect((await three()).map(({ status }) => status).sort()).toEqual([200, 200, 429]);
  await gladly.set({ quotaPerSecond: null });
  const free = await three();
  expect(free.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(free[0]?.headers.get('ratelimit-limit-second')).toBeNull();

  const report = z.looseObject({ calls: z.number(), refused: z.number() });
  const calls = await gladly.control(report, 'POST', '/calls/mark');
  expect(calls).toMatchObject({
    calls: 6,
    refused: 1,
    byEndpoint: [{ key: 'GET /api/v1/inboxes', calls: 6, refused: 1 }],
    byStatus: { '200': 5, '429': 1 },
    byClient: [{ key: expect.stringContaining(gladly.credentials.email), calls: 6 }],
  });
  expect(await gladly.control(report, 'GET', '/calls')).toMatchObject({ calls: 0 });
});

test('reports have a limit of their own: ten a minute', async () => {
  const gladly = await startGladly();
  const report = { metricSet: 'TopicSummaryReport', startAt: '2026-01-01', endAt: '2026-01-01' };
  const replies = await Promise.all(Array.from({ length: 12 }, () => gladly.api('POST', '/reports', report)));
  expect(replies.filter(({ status }) => status === 429)).toHaveLength(2);
});
