import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { startGladly } from '../../support/simulator/gladly.ts';
import { startReceiver } from '../../support/simulator/receiver.ts';

test('the summary shows the organization, its clock and settings, and no secret', async () => {
  const [gladly, receiver] = await Promise.all([startGladly(), startReceiver()]);
  await gladly.subscribe(receiver.url, { headers: { 'x-api-key': 'secret-1' } });
  await gladly.emit({ count: 10 });
  await gladly.settled();
  const { status, json, text } = await gladly.call('GET', '/simulator');
  expect([status, json]).toMatchObject([
    200,
    {
      organization: { gladlyUrl: gladly.url },
      settings: { quotaPerSecond: null, clockFactor: 1, readLagMs: 0, rate: 0 },
      counts: { events: 10 },
      deliveries: { settled: true, byState: { pending: 0, delivered: 11 } },
      webhooks: [{ url: receiver.url, headerKeys: ['x-api-key'] }],
    },
  ]);
  expect(text).not.toContain('secret-1');
});

test('settings change one by one; what does not fit changes nothing and is named', async () => {
  const gladly = await startGladly();
  await gladly.set({ eventsLagSeconds: 3, pingBody: 'envelope' });
  expect((await gladly.summary()).settings).toMatchObject({ eventsLagSeconds: 3, pingBody: 'envelope', rate: 0 });
  const refused = await gladly.call('PATCH', '/simulator/settings', { eventsLagSeconds: 9, rate: -1, colour: 'red' });
  expect(refused.status).toBe(422);
  expect(refused.text).toMatch(/rate: .*colour|colour.*rate: /s);
  expect((await gladly.summary()).settings).toMatchObject({ eventsLagSeconds: 3 });
});

test.each([
  ['GET', '/nothing', 404],
  ['DELETE', '/emit', 404],
  ['GET', '/runs/7', 404],
  ['GET', '/conversations/none', 404],
  ['DELETE', '/conversations/none', 404],
  ['POST', '/conversations/none/unsupported-items', 404],
  ['PATCH', '/users/none', 422],
  ['POST', '/users/none/tokens', 404],
  ['DELETE', '/tokens/none', 404],
  ['DELETE', '/faults/none', 404],
  ['GET', '/deliveries?limit=0', 422],
  ['GET', '/deliveries?state=lost', 422],
])('%s /simulator%s is %i', async (method, path, status) => {
  const gladly = await startGladly();
  const reply = await gladly.call(method, `/simulator${path}`);
  expect([reply.status, reply.json]).toMatchObject([status, { status, detail: expect.any(String) }]);
});

test('a body that is not JSON is 400, and one that is too large too', async () => {
  const gladly = await startGladly();
  expect((await gladly.call('POST', '/simulator/emit', '{"count":')).status).toBe(400);
  expect((await gladly.call('POST', '/simulator/emit', 'x'.repeat(1_100_000))).status).toBe(400);
});

describe('the delivery log', () => {
  test('is read in pages, and by state, event, webhook and type', async () => {
    const [gladly, receiver] = await Promise.all([startGladly(), startReceiver()]);
    const webhookId = await gladly.subscribe(receiver.url);
    receiver.replyWith(({ event }) => (event.type === 'CONVERSATION/CREATED' ? 500 : 200));
    const { events } = await gladly.emit({ count: 100 });
    await gladly.quiet();
    const created = events.filter(({ type }) => type === 'CONVERSATION/CREATED');

    const pageSchema = z.object({ deliveries: z.array(z.looseObject({ eventId: z.string() })), next: z.number() });
    const seen: string[] = [];
    for (let after = 0; ; ) {
      const page = await gladly.control(pageSchema, 'GET', `/deliveries?after=${after}&limit=33`);
      if (page.deliveries.length === 0) break;
      expect(page.deliveries.length).toBeLessThanOrEqual(33);
      seen.push(...page.deliveries.map(({ eventId }) => eventId));
      after = page.next;
    }
    expect(seen.slice(1)).toEqual(events.map(({ id }) => id));
    expect(await gladly.deliveries('state=pending')).toHaveLength(created.length);
    expect(await gladly.deliveries('type=CONVERSATION/CREATED&state=delivered')).toEqual([]);
    expect(await gladly.deliveries(`eventId=${events[3]?.id}`)).toMatchObject([{ webhookId }]);
    expect(await gladly.deliveries('webhookId=none')).toEqual([]);
  });
});
