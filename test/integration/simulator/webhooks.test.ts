import { describe, expect, test } from 'vitest';
import { startGladly } from '../../support/simulator/gladly.ts';
import { startReceiver } from '../../support/simulator/receiver.ts';

const EVENTS = ['CONVERSATION/CLOSED'];
const URL_OF_NOBODY = 'http://127.0.0.1:1/hook';

describe('creating a webhook', () => {
  test('answers 201 with a Location and an empty body; it is disabled, and nothing is sent', async () => {
    const [gladly, receiver] = await Promise.all([startGladly(), startReceiver()]);
    const created = await gladly.api('POST', '/webhooks', { url: receiver.url, events: EVENTS });
    expect([created.status, created.text]).toEqual([201, '']);
    const location = created.headers.get('location') ?? '';
    expect(location).toMatch(/^\/api\/v1\/webhooks\/[\w-]{22}$/);
    const shown = await gladly.api('GET', location.replace('/api/v1', ''));
    expect(shown.json).toMatchObject({ url: receiver.url, events: EVENTS, enabled: false, hasCredentials: false });
    expect(receiver.received).toEqual([]);
  });

  test('never shows credentials or header values again, only that they are there', async () => {
    const gladly = await startGladly();
    const secrets = { credentials: { username: 'u', password: 'pass-77' }, headers: { 'X-Api-Key': 'key-88' } };
    await gladly.api('POST', '/webhooks', { url: URL_OF_NOBODY, events: EVENTS, ...secrets });
    const { text, json } = await gladly.api('GET', '/webhooks');
    expect(json).toMatchObject([{ hasCredentials: true, headerKeys: ['X-Api-Key'] }]);
    expect(text).not.toMatch(/pass-77|key-88|"credentials"|"headers"/);
  });

  test.each([
    ['no url', { events: EVENTS }, 'url', 'blank'],
    ['no events', { url: URL_OF_NOBODY }, 'events', 'blank'],
    ['an empty list of events', { url: URL_OF_NOBODY, events: [] }, 'events', 'invalid'],
    ['an unknown event', { url: URL_OF_NOBODY, events: ['CONVERSATION/EXPLODED'] }, 'events', 'invalid'],
    ['PING', { url: URL_OF_NOBODY, events: ['PING'] }, 'events', 'invalid'],
    ['MESSAGE/RECEIVED', { url: URL_OF_NOBODY, events: ['MESSAGE/RECEIVED'] }, 'events', 'invalid'],
    ['a name of 201 characters', { url: URL_OF_NOBODY, events: EVENTS, name: 'x'.repeat(201) }, 'name', 'too_long'],
    ['a url that is none', { url: 'gateway', events: EVENTS }, 'url', 'invalid'],
    ['ftp', { url: 'ftp://gateway.example/hook', events: EVENTS }, 'url', 'invalid'],
    [
      'credentials without a password',
      { url: URL_OF_NOBODY, events: EVENTS, credentials: { username: 'u' } },
      'credentials',
      'invalid',
    ],
    ['a header that is no name', { url: URL_OF_NOBODY, events: EVENTS, headers: { 'a b': 'c' } }, 'headers', 'invalid'],
    ['enabled as a word', { url: URL_OF_NOBODY, events: EVENTS, enabled: 'yes' }, 'enabled', 'invalid'],
  ])('refuses %s', async (_, body, attr, code) => {
    const gladly = await startGladly();
    const refused = await gladly.api('POST', '/webhooks', body);
    expect(refused.status).toBe(400);
    expect(refused.json).toMatchObject({ errors: [{ attr, code }] });
    expect((await gladly.api('GET', '/webhooks')).json).toEqual([]);
  });

  test('names everything that is wrong at once, and refuses what is not JSON', async () => {
    const gladly = await startGladly();
    const several = await gladly.api('POST', '/webhooks', { url: 'x', events: ['NO/SUCH'], enabled: 1 });
    expect(several.json).toMatchObject({ errors: [{ attr: 'events' }, { attr: 'url' }, { attr: 'enabled' }] });
    expect((await gladly.api('POST', '/webhooks', '{"url":')).status).toBe(400);
  });

  test('wants HTTPS unless plain HTTP was allowed at the start', async () => {
    const gladly = await startGladly({ allowHttpWebhooks: false });
    const plain = await gladly.api('POST', '/webhooks', { url: URL_OF_NOBODY, events: EVENTS });
    expect([plain.status, plain.json]).toMatchObject([400, { errors: [{ attr: 'url', code: 'invalid' }] }]);
    const secure = { url: 'https://gateway.example/hook', events: EVENTS };
    expect((await gladly.api('POST', '/webhooks', secure)).status).toBe(201);
  });

  test('wants a url that no other webhook has', async () => {
    const gladly = await startGladly();
    const body = { url: URL_OF_NOBODY, events: EVENTS };
    expect((await gladly.api('POST', '/webhooks', body)).status).toBe(201);
    const again = await gladly.api('POST', '/webhooks', body);
    expect([again.status, again.json]).toMatchObject([400, { errors: [{ attr: 'url', code: 'taken' }] }]);
  });

  test('refuses the 21st', async () => {
    const gladly = await startGladly();
    for (let number = 1; number <= 20; number += 1) {
      const body = { url: `${URL_OF_NOBODY}/${number}`, events: EVENTS };
      expect((await gladly.api('POST', '/webhooks', body)).status).toBe(201);
    }
    expect((await gladly.api('POST', '/webhooks', { url: URL_OF_NOBODY, events: EVENTS })).status).toBe(400);
  });

  test('offers MESSAGE/RECEIVED in an organization of 2021', async () => {
    const [gladly, receiver] = await Promise.all([startGladly({ legacyEvents: true }), startReceiver()]);
    await gladly.subscribe(receiver.url, { events: ['MESSAGE/RECEIVED'] });
    const { events } = await gladly.emit({ count: 3, onlySubscribed: true });
    await gladly.settled();
    const legacy = receiver.events().map(({ text }) => JSON.parse(text));
    expect(legacy).toHaveLength(3);
    expect(Object.keys(legacy[0].content).sort()).toEqual(['conversationId', 'conversationItemId']);
    const item = await gladly.api('GET', `/conversation-items/${legacy[0].content.conversationItemId}`);
    expect(item.json).toMatchObject({ initiator: { type: 'CUSTOMER' } });
    expect(events.filter(({ type }) => type === 'MESSAGE/RECEIVED')).toHaveLength(3);
  });
});

describe('PING', () => {
  test('is sent when a webhook is created enabled, with its headers and credentials', async () => {
    const [gladly, receiver] = await Promise.all([startGladly(), startReceiver()]);
    const credentials = { username: 'ünser', password: 'p:w' };
    await gladly.subscribe(receiver.url, { credentials, headers: { 'X-Api-Key': 'key' } });
    expect(receiver.received.map(({ text }) => text)).toEqual(['{"type":"PING"}']);
    const headers = receiver.received[0]?.headers;
    expect(headers).toMatchObject({ 'x-api-key': 'key', 'content-type': 'application/json' });
    const basic = Buffer.from(headers?.authorization?.slice(6) ?? '', 'base64').toString();
    expect(basic).toBe('ünser:p:w');
  });

  test.each([
    ['204', 204],
    ['401', 401],
    ['500', 500],
    ['a redirect', { status: 302, headers: { location: '/elsewhere' } }],
    ['no answer in time', 'never' as const],
  ])('answered with %s fails the creation', async (_, reply) => {
    const [gladly, receiver] = await Promise.all([startGladly({ deliveryTimeoutMs: 100 }), startReceiver()]);
    receiver.replyWith(reply);
    const refused = await gladly.api('POST', '/webhooks', { url: receiver.url, events: EVENTS, enabled: true });
    expect([refused.status, refused.json]).toMatchObject([400, { errors: [{ attr: 'url' }] }]);
    expect((await gladly.api('GET', '/webhooks')).json).toEqual([]);
    expect(await gladly.deliveries('type=PING')).toMatchObject([{ state: 'failed', attempts: [{}] }]);
  });

  test('is sent on enabling and on a change of url, and only then', async () => {
    const [gladly, receiver, other] = await Promise.all([startGladly(), startReceiver(), startReceiver()]);
    const id = await gladly.subscribe(receiver.url, { enabled: false });
    const patch = async (body: object) => (await gladly.api('PATCH', `/webhooks/${id}`, body)).status;
    const pings = () => [receiver.received.length, other.received.length];

    expect(await patch({ name: 'renamed' })).toBe(204);
    expect(pings()).toEqual([0, 0]);
    expect(await patch({ enabled: true })).toBe(204);
    expect(pings()).toEqual([1, 0]);
    expect(await patch({ enabled: true, events: EVENTS })).toBe(204);
    expect(pings()).toEqual([1, 0]);
    expect(await patch({ url: other.url })).toBe(204);
    expect(pings()).toEqual([1, 1]);
    expect(await patch({ enabled: false })).toBe(204);
    expect(pings()).toEqual([1, 1]);
  });

  test('not answered leaves the webhook as it was', async () => {
    const [gladly, receiver] = await Promise.all([startGladly(), startReceiver()]);
    const id = await gladly.subscribe(receiver.url, { name: 'before' });
    const changed = await gladly.api('PATCH', `/webhooks/${id}`, { url: URL_OF_NOBODY, name: 'after' });
    expect(changed.status).toBe(400);
    const shown = await gladly.api('GET', `/webhooks/${id}`);
    expect(shown.json).toMatchObject({ url: receiver.url, name: 'before', enabled: true });
  });

  test('may look like other events', async () => {
    const [gladly, receiver] = await Promise.all([startGladly({ pingBody: 'envelope' }), startReceiver()]);
    await gladly.subscribe(receiver.url);
    expect(receiver.received[0]?.event).toMatchObject({ type: 'PING', id: expect.any(String), content: {} });
  });
});

describe('changing and deleting a webhook', () => {
  test('PATCH replaces what it names, checks it like POST, and can take credentials away', async () => {
    const gladly = await startGladly();
    const first = await gladly.subscribe(URL_OF_NOBODY, {
      enabled: false,
      headers: { a: '1', b: '2' },
      credentials: { username: 'u', password: 'p' },
    });
    const second = await gladly.subscribe(`${URL_OF_NOBODY}2`, { enabled: false });
    const path = `/webhooks/${first}`;
    expect((await gladly.api('PATCH', path, { headers: { c: '3' }, credentials: null })).status).toBe(204);
    expect((await gladly.api('GET', path)).json).toMatchObject({ headerKeys: ['c'], hasCredentials: false });
    const taken = await gladly.api('PATCH', `/webhooks/${second}`, { url: URL_OF_NOBODY });
    expect([taken.status, taken.json]).toMatchObject([400, { errors: [{ attr: 'url', code: 'taken' }] }]);
    expect((await gladly.api('PATCH', path, { events: ['PING'] })).status).toBe(400);
    expect((await gladly.api('PATCH', path, { url: '' })).status).toBe(400);
  });

  test('DELETE needs it to be disabled; afterwards it is unknown', async () => {
    const [gladly, receiver] = await Promise.all([startGladly(), startReceiver()]);
    const path = `/webhooks/${await gladly.subscribe(receiver.url)}`;
    expect((await gladly.api('DELETE', path)).status).toBe(400);
    await gladly.api('PATCH', path, { enabled: false });
    expect((await gladly.api('DELETE', path)).status).toBe(204);
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      expect((await gladly.api(method, path, method === 'GET' ? undefined : {})).status).toBe(404);
    }
  });
});
