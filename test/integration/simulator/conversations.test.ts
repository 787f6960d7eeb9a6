import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Gladly, startGladly } from '../../support/simulator/gladly.ts';
import { startReceiver } from '../../support/simulator/receiver.ts';

const createdSchema = z.object({ id: z.string(), customerId: z.string() });
const addConversation = (gladly: Gladly, body: object = {}) =>
  gladly.control(createdSchema, 'POST', '/conversations', body);

describe('reading a conversation', () => {
  test('gives at most the 1,000 oldest items, and a header that says so', async () => {
    const gladly = await startGladly();
    const { id } = await addConversation(gladly, { items: 1500 });
    const { headers, json } = await gladly.api('GET', `/conversations/${id}/items`);
    const whole = await gladly.dump(id);
    expect(whole.items).toHaveLength(1500);
    expect(json).toEqual(whole.items.slice(0, 1000));
    expect(headers.get('gladly-limited-data')).toBe('true');
    const small = await addConversation(gladly, { items: 1000 });
    const all = await gladly.api('GET', `/conversations/${small.id}/items`);
    expect(all.json).toHaveLength(1000);
    expect(all.headers.get('gladly-limited-data')).toBe('false');
    const beyond = whole.items.at(-1);
    expect((await gladly.api('GET', `/conversation-items/${beyond?.id}`)).json).toEqual(beyond);
  });

  test("gives at most 100 of a customer's conversations, oldest first", async () => {
    const gladly = await startGladly();
    const { id, customerId } = await addConversation(gladly);
    const ids = [id];
    for (let number = 0; number < 101; number += 1) ids.push((await addConversation(gladly, { customerId })).id);
    const { headers, json } = await gladly.api('GET', `/customers/${customerId}/conversations`);
    expect(
      z
        .array(createdSchema)
        .parse(json)
        .map((entry) => entry.id),
    ).toEqual(ids.slice(0, 100));
    expect(headers.get('gladly-limited-data')).toBe('true');
  });

  test('is 404 for what does not exist, or was deleted', async () => {
    const gladly = await startGladly();
    const { id } = await addConversation(gladly, { items: 1 });
    const [item] = (await gladly.dump(id)).items;
    const paths = [`/conversations/${id}`, `/conversations/${id}/items`, `/conversation-items/${item?.id}`];
    for (const path of paths) expect((await gladly.api('GET', path)).status).toBe(200);
    await gladly.control(z.unknown(), 'DELETE', `/conversations/${id}`);
    for (const path of paths) expect((await gladly.api('GET', path)).status).toBe(404);
    expect((await gladly.call('POST', '/simulator/emit', { count: 1, conversationId: id })).status).toBe(404);
  });

  test('a note is found under its own conversation, and only a note', async () => {
    const gladly = await startGladly();
    const { id, customerId } = await addConversation(gladly, { items: 1 });
    const { events } = await gladly.emit({ count: 9, conversationId: id });
    expect(events.map(({ type }) => type)).toContain('CONVERSATION/NOTE_CREATED');
    const { items } = await gladly.dump(id);
    const note = items.find(({ content }) => content.type === 'CONVERSATION_NOTE');
    const message = items.find(({ content }) => content.type === 'CHAT_MESSAGE');
    expect((await gladly.api('GET', `/conversations/${id}/notes/${note?.id}`)).json).toEqual(note);
    expect((await gladly.api('GET', `/conversations/${id}/notes/${message?.id}`)).status).toBe(404);
    const other = await addConversation(gladly, { customerId });
    expect((await gladly.api('GET', `/conversations/${other.id}/notes/${note?.id}`)).status).toBe(404);
  });

  test('an item that the API does not support is 400, and in no list', async () => {
    const gladly = await startGladly();
    const { id } = await addConversation(gladly, { items: 2 });
    const path = `/conversations/${id}/unsupported-items`;
    const item = await gladly.control(z.object({ id: z.string() }), 'POST', path);
    const { status, json } = await gladly.api('GET', `/conversation-items/${item.id}`);
    expect([status, json]).toMatchObject([400, { errors: [{ code: 'invalid' }] }]);
    expect((await gladly.api('GET', `/conversations/${id}/items`)).json).toHaveLength(2);
  });

  test.each(['INTERNAL', 'EXTERNAL'])(
    'a mail of an %s third party comes in, with an event as any message',
    async (from) => {
      const [gladly, receiver] = await Promise.all([startGladly(), startReceiver()]);
      await gladly.subscribe(receiver.url);
      const { id } = await addConversation(gladly, { items: 1 });
      const made = z.object({ itemId: z.string(), eventId: z.string() });
      const { itemId, eventId } = await gladly.control(made, 'POST', `/conversations/${id}/third-party-mails`, {
        from,
      });
      expect((await gladly.dump(id)).items.at(-1)).toMatchObject({
        id: itemId,
        initiator: { type: from },
        content: { type: 'EMAIL' },
      });
      await gladly.quiet();
      expect(await gladly.deliveries(`eventId=${eventId}`)).toMatchObject([
        { type: 'CONTACT/MESSAGE_RECEIVED', state: 'delivered' },
      ]);
    },
  );
});

describe('with a read lag', () => {
  test('what an event tells of can be read only after the lag', async () => {
    const gladly = await startGladly();
    const { id } = await addConversation(gladly, { items: 2 });
    await gladly.emit({ count: 1, conversationId: id });
    const before = await gladly.api('GET', `/conversations/${id}`);

    await gladly.set({ readLagMs: 4_000 });
    const started = Date.now();
    const emitOne = async () => (await gladly.emit({ count: 1, conversationId: id })).events[0]?.type;
    while ((await emitOne()) !== 'CONVERSATION/CLOSED') expect(Date.now() - started).toBeLessThan(4_000);
    const truth = await gladly.dump(id);
    expect(truth.items.length).toBeGreaterThan(2);
    expect(truth.conversation).not.toEqual(before.json);
    const hidden = truth.items.at(-1);
    expect((await gladly.api('GET', `/conversations/${id}`)).json).toEqual(before.json);
    expect((await gladly.api('GET', `/conversations/${id}/items`)).json).toEqual(truth.items.slice(0, 2));
    expect((await gladly.api('GET', `/conversation-items/${hidden?.id}`)).status).toBe(404);

    const read = async () => (await gladly.api('GET', `/conversations/${id}`)).json;
    await expect.poll(read).toEqual(truth.conversation);
    expect((await gladly.api('GET', `/conversations/${id}/items`)).json).toEqual(truth.items);
  });

  test('a new conversation is unknown until then', async () => {
    const gladly = await startGladly({ readLagMs: 2_000 });
    const [created] = (await gladly.emit({ count: 1 })).events;
    expect(created?.type).toBe('CONVERSATION/CREATED');
    const status = async () => (await gladly.api('GET', `/conversations/${created?.conversationId}`)).status;
    expect(await status()).toBe(404);
    await expect.poll(status).toBe(200);
  });
});

describe('customers', () => {
  test('are found by exactly one of address, phone number and external id', async () => {
    const gladly = await startGladly({ customers: 20, seed: 'people' });
    const { customerId } = await addConversation(gladly);
    const profile = z
      .looseObject({
        emails: z.array(z.looseObject({ original: z.string() })),
        phones: z.array(z.looseObject({ normalized: z.string() })),
      })
      .parse((await gladly.api('GET', `/customer-profiles/${customerId}`)).json);
    const email = profile.emails[0]?.original ?? '';
    const phone = encodeURIComponent(profile.phones[0]?.normalized ?? '');
    expect((await gladly.api('GET', `/customer-profiles?email=${email.toUpperCase()}`)).json).toEqual([profile]);
    expect((await gladly.api('GET', `/customer-profiles?phoneNumber=${phone}`)).json).toEqual([profile]);
    expect((await gladly.api('GET', '/customer-profiles?externalCustomerId=none')).json).toEqual([]);
    for (const query of ['', '?email=', `?email=${email}&phoneNumber=${phone}`]) {
      expect((await gladly.api('GET', `/customer-profiles${query}`)).status).toBe(400);
    }
  });

  test('who are unknown are a 404 whose errors are an object', async () => {
    const gladly = await startGladly();
    const { status, json } = await gladly.api('GET', '/customer-profiles/none');
    expect([status, json]).toMatchObject([404, { errors: { code: 'not_exist' } }]);
  });

  test('who are merged are a 301 that names the new id, and their conversations move', async () => {
    const gladly = await startGladly();
    const source = await addConversation(gladly, { items: 2 });
    const destination = await addConversation(gladly, { items: 1 });
    const merge = { sourceCustomerId: source.customerId, destinationCustomerId: destination.customerId };
    const answer = await gladly.control(z.object({ event: z.unknown() }), 'POST', '/customers/merge', merge);
    expect(answer.event).toMatchObject({
      type: 'CUSTOMER/MERGED',
      content: {
        sourceCustomerId: source.customerId,
        sourceConversationId: source.id,
        destinationCustomerId: destination.customerId,
        destinationConversationId: destination.id,
      },
    });
    const moved = await gladly.api('GET', `/customer-profiles/${source.customerId}`);
    expect(moved.status).toBe(301);
    expect(moved.json).toMatchObject({
      errors: [{ attr: 'customerId', code: 'moved', meta: { old: source.customerId, new: destination.customerId } }],
    });
    expect((await gladly.api('GET', `/customers/${destination.customerId}/conversations`)).json).toHaveLength(2);
    const { items, conversation } = await gladly.dump(source.id);
    for (const entry of [conversation, ...items]) expect(entry).toMatchObject({ customerId: destination.customerId });
    expect((await gladly.call('POST', '/simulator/customers/merge', merge)).status).toBe(404);
    // It lives on under the new customer.
    await gladly.emit({ count: 3, conversationId: source.id });
  });

  test('a merge may name no conversation', async () => {
    const gladly = await startGladly();
    const [source, destination] = [await addConversation(gladly, {}), await addConversation(gladly, {})];
    const merge = {
      sourceCustomerId: source.customerId,
      destinationCustomerId: destination.customerId,
      nameConversations: false,
    };
    const answer = z.object({ event: z.object({ content: z.unknown() }) });
    const { event } = await gladly.control(answer, 'POST', '/customers/merge', merge);
    expect(event.content).toEqual({
      sourceCustomerId: source.customerId,
      destinationCustomerId: destination.customerId,
    });
  });
});

test('a conversation that moved is a 301 to its new id, and lives on there', async () => {
  const gladly = await startGladly();
  const old = await addConversation(gladly, { items: 2 });
  const { id } = await gladly.control(z.object({ id: z.string() }), 'POST', `/conversations/${old.id}/move`, {});
  for (const what of ['', '/items']) {
    const { status, headers, json } = await gladly.api('GET', `/conversations/${old.id}${what}`);
    expect([status, headers.get('location')]).toEqual([301, `/api/v1/conversations/${id}${what}`]);
    expect(json).toMatchObject({ errors: [{ code: 'moved', meta: { old: old.id, new: id } }] });
  }
  await gladly.emit({ count: 3, conversationId: id });
  const { conversation, items } = await gladly.dump(id);
  expect(conversation).toMatchObject({ id, customerId: old.customerId });
  expect(items.length).toBeGreaterThanOrEqual(2);
  for (const entry of items) expect(entry).toMatchObject({ conversationId: id });
  expect((await gladly.call('POST', `/simulator/conversations/${old.id}/move`, {})).status).toBe(404);
});
