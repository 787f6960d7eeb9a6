import { describe, expect, test } from 'vitest';
import { startGladly } from '../../support/simulator/gladly.ts';
import { startReceiver } from '../../support/simulator/receiver.ts';

/** gladly.md 1.3 */
const RESEND_GAPS_MS = [30_000, 300_000, 1_800_000, 3_600_000];
/** 30 s, 5 min, 30 min and 1 h pass in about a second. */
const HOURS_IN_SECONDS = 5000;

const ids = (entries: readonly { event: { id?: string | undefined } }[]) => entries.map(({ event }) => event.id).sort();

test('every event goes to each webhook that subscribes to it, once, and to no other', async () => {
  const [gladly, all, closed, disabled] = await Promise.all([
    startGladly(),
    startReceiver(),
    startReceiver(),
    startReceiver(),
  ]);
  await gladly.subscribe(all.url);
  await gladly.subscribe(closed.url, { events: ['CONVERSATION/CLOSED'] });
  await gladly.subscribe(disabled.url, { enabled: false });
  const { events, deliveries } = await gladly.emit({ count: 300 });
  expect(await gladly.settled()).toMatchObject({ settled: true });

  expect(ids(all.events())).toEqual(events.map(({ id }) => id).sort());
  const closings = events.filter(({ type }) => type === 'CONVERSATION/CLOSED');
  expect(closings.length).toBeGreaterThan(0);
  expect(ids(closed.events())).toEqual(closings.map(({ id }) => id).sort());
  expect(disabled.received).toEqual([]);
  expect(deliveries).toBe(300 + closings.length);
});

test.each([200, 201, 202, 204, 299])('%i settles a delivery', async (status) => {
  const [gladly, receiver] = await Promise.all([startGladly(), startReceiver()]);
  await gladly.subscribe(receiver.url);
  receiver.replyWith(status);
  await gladly.emit({ count: 1 });
  await gladly.settled();
  expect(await gladly.deliveries('state=delivered')).toMatchObject([{ type: 'PING' }, { attempts: [{ status }] }]);
});

test.each([
  ['304', 304, { status: 304 }],
  ['a redirect', { status: 307, headers: { location: '/elsewhere' } }, { status: 307 }],
  ['406', 406, { status: 406 }],
  ['410', 410, { status: 410 }],
  ['503', 503, { status: 503 }],
  ['no answer within the time-out', 'never' as const, { status: null, error: 'TIMEOUT' }],
])('%s fails an attempt, and a resend is scheduled 30 s later', async (_, reply, attempt) => {
  const [gladly, receiver] = await Promise.all([
    startGladly(reply === 'never' ? { deliveryTimeoutMs: 100 } : {}),
    startReceiver(),
  ]);
  await gladly.subscribe(receiver.url);
  receiver.replyWith(reply);
  await gladly.emit({ count: 1 });
  expect(await gladly.quiet()).toMatchObject({ quiet: true, settled: false, pending: 1 });
  const [pending] = await gladly.deliveries('state=pending');
  expect(pending?.attempts).toMatchObject([attempt]);
  const gap = Date.parse(pending?.nextAttemptAt ?? '') - Date.parse(pending?.attempts[0]?.at ?? '');
  expect(gap).toBeGreaterThanOrEqual(30_000);
  // The next one would be after 5 minutes.
  expect(gap).toBeLessThan(60_000);
  expect(receiver.events()).toHaveLength(1);
});

test('a receiver that cannot be reached is a failed attempt with the reason', async () => {
  const [gladly, receiver] = await Promise.all([startGladly(), startReceiver()]);
  const id = await gladly.subscribe('http://127.0.0.1:1/hook', { enabled: false });
  await gladly.subscribe(receiver.url);
  expect((await gladly.api('PATCH', `/webhooks/${id}`, { enabled: true })).status).toBe(400);
  expect(await gladly.deliveries(`webhookId=${id}`)).toMatchObject([
    { type: 'PING', state: 'failed', attempts: [{ status: null, error: 'ECONNREFUSED' }] },
  ]);
});

describe('resends', () => {
  test('repeat the same body, and end with the first 2XX', async () => {
    const [gladly, receiver] = await Promise.all([startGladly({ clockFactor: HOURS_IN_SECONDS }), startReceiver()]);
    await gladly.subscribe(receiver.url, { headers: { 'x-api-key': 'key' } });
    receiver.replyWith(() => (receiver.events().length < 3 ? 500 : 202));
    await gladly.emit({ count: 1 });
    await gladly.settled();
    const sent = receiver.events();
    expect(sent).toHaveLength(3);
    expect(new Set(sent.map(({ text }) => text)).size).toBe(1);
    expect(sent.every(({ headers }) => headers['x-api-key'] === 'key')).toBe(true);
    const [delivery] = await gladly.deliveries(`eventId=${sent[0]?.event.id}`);
    expect(delivery?.state).toBe('delivered');
    expect(delivery?.attempts.map(({ status }) => status)).toEqual([500, 500, 202]);
  });

  test('come after 30 s, 5 min, 30 min and 1 h; when the fourth fails the webhook is switched off', async () => {
    const [gladly, receiver] = await Promise.all([startGladly({ clockFactor: HOURS_IN_SECONDS }), startReceiver()]);
    const id = await gladly.subscribe(receiver.url);
    receiver.replyWith(500);
    const { events } = await gladly.emit({ count: 1 });
    await gladly.settled();

    const [delivery] = await gladly.deliveries(`eventId=${events[0]?.id}`);
    expect(delivery).toMatchObject({ state: 'failed', webhookId: id });
    const times = delivery?.attempts.map(({ at }) => Date.parse(at)) ?? [];
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(gaps).toHaveLength(4);
    for (const [index, gap] of gaps.entries()) {
      expect(gap).toBeGreaterThanOrEqual(RESEND_GAPS_MS[index] ?? 0);
      // 3 s of real time for the machine to be late.
      expect(gap).toBeLessThan((RESEND_GAPS_MS[index] ?? 0) + 3_000 * HOURS_IN_SECONDS);
    }
    expect(receiver.events()).toHaveLength(5);

    const webhook = await gladly.api('GET', `/webhooks/${id}`);
    expect(webhook.json).toMatchObject({ enabled: false, disabledAtDueToRetryLimit: expect.stringMatching(/Z$/) });
  });

  test('a webhook that was switched off loses what was pending and what happens meanwhile', async () => {
    const [gladly, receiver] = await Promise.all([startGladly({ clockFactor: HOURS_IN_SECONDS }), startReceiver()]);
    const id = await gladly.subscribe(receiver.url);
    receiver.replyWith(500);
    await gladly.emit({ count: 1 });
    await gladly.emit({ count: 5, ratePerSecond: 10 });
    await gladly.settled();
    const states = (await gladly.deliveries()).map(({ state }) => state);
    expect(states.filter((state) => state === 'failed')).toHaveLength(1);
    expect(states.filter((state) => state === 'dropped')).toHaveLength(5);

    expect((await gladly.emit({ count: 2 })).deliveries).toBe(0);
    receiver.replyWith(200);
    expect((await gladly.api('PATCH', `/webhooks/${id}`, { enabled: true })).status).toBe(204);
    const webhook = await gladly.api('GET', `/webhooks/${id}`);
    expect(webhook.text).not.toContain('disabledAtDueToRetryLimit');
    const before = receiver.events().length;
    await gladly.emit({ count: 2 });
    await gladly.settled();
    expect(receiver.events()).toHaveLength(before + 2);
  });

  test('stop when a person disables the webhook', async () => {
    const [gladly, receiver] = await Promise.all([startGladly(), startReceiver()]);
    const id = await gladly.subscribe(receiver.url);
    receiver.replyWith(500);
    await gladly.emit({ count: 2 });
    await gladly.quiet();
    await gladly.api('PATCH', `/webhooks/${id}`, { enabled: false });
    expect(await gladly.settled(0)).toMatchObject({ settled: true });
    expect(await gladly.deliveries('state=dropped')).toHaveLength(2);
    expect((await gladly.api('GET', `/webhooks/${id}`)).text).not.toContain('disabledAtDueToRetryLimit');
  });

  test('wake up when the clock is made faster', async () => {
    const [gladly, receiver] = await Promise.all([startGladly(), startReceiver()]);
    await gladly.subscribe(receiver.url);
    receiver.replyWith(500);
    await gladly.emit({ count: 1 });
    await gladly.quiet();
    receiver.replyWith(200);
    await gladly.set({ clockFactor: HOURS_IN_SECONDS });
    expect(await gladly.settled()).toMatchObject({ settled: true });
  });
});

test('at most 50 deliveries are under way for a webhook, and another webhook does not wait for it', async () => {
  const [gladly, slow, quick] = await Promise.all([startGladly(), startReceiver(), startReceiver()]);
  await gladly.subscribe(slow.url);
  await gladly.subscribe(quick.url);
  slow.replyWith('never');
  await gladly.emit({ count: 200 });
  await expect.poll(() => quick.events().length).toBe(200);
  expect(slow.events()).toHaveLength(50);
});

test('thousands of events are delivered', async () => {
  const [gladly, receiver] = await Promise.all([startGladly(), startReceiver()]);
  await gladly.subscribe(receiver.url);
  await gladly.emit({ count: 2000 });
  await gladly.settled();
  expect(receiver.events()).toHaveLength(2000);
});

test('a delivered event can be sent again, the same bytes', async () => {
  const [gladly, receiver] = await Promise.all([startGladly(), startReceiver()]);
  await gladly.subscribe(receiver.url);
  const { events } = await gladly.emit({ count: 3 });
  await gladly.settled();
  const again = await gladly.call('POST', '/simulator/deliveries/resend', { eventId: events[1]?.id });
  expect(again.json).toEqual({ resent: 1 });
  await gladly.settled();
  const twice = receiver.events().filter(({ event }) => event.id === events[1]?.id);
  expect([receiver.events().length, twice.length, twice[0]?.text === twice[1]?.text]).toEqual([4, 2, true]);
});

test('no order is kept', async () => {
  const [gladly, receiver] = await Promise.all([startGladly(), startReceiver()]);
  await gladly.subscribe(receiver.url);
  const { events } = await gladly.emit({ count: 100 });
  await gladly.settled();
  expect(receiver.events().map(({ event }) => event.id)).not.toEqual(events.map(({ id }) => id));
});
