import { describe, expect, it } from 'vitest';
import { readItem } from '../../../src/gladly/items.ts';
import { parseStorableJson } from '../../../src/gladly/json.ts';

const base = { id: 'i1', customerId: 'u1', conversationId: 'c1', timestamp: '2019-07-01T11:46:45.01Z' };
const customer = { id: 'u1', type: 'CUSTOMER' };
const agent = { id: 'a1', type: 'AGENT' };
const read = (raw: unknown) => {
  const found = readItem(raw);
  if (!found) throw new Error('it should be an item');
  return found;
};

describe('whose message goes which way', () => {
  it.each([
    ['CUSTOMER', 'inbound'],
    ['EXTERNAL', 'inbound'],
    ['INTERNAL', 'inbound'],
    ['AGENT', 'outbound'],
    ['API', 'outbound'],
    ['AUTOMATION', 'outbound'],
    ['SYSTEM', 'outbound'],
    ['SOMETHING_NEW', null],
  ])('of %s: %s', (type, direction) => {
    const raw = { ...base, initiator: { id: 'x', type }, content: { type: 'EMAIL', content: 'Hi' } };
    expect(read(raw).item.direction).toBe(direction);
  });
});

describe('the columns of an item', () => {
  it.each([
    [
      'CHAT_MESSAGE',
      customer,
      { sessionId: 's1', content: 'Hi' },
      { channel: 'CHAT', direction: 'inbound', text: 'Hi', sessionId: 's1' },
    ],
    [
      'EMAIL',
      agent,
      { from: 'a', to: ['b'], subject: 'Order', content: 'Hello' },
      { channel: 'EMAIL', direction: 'outbound', text: 'Hello', subject: 'Order' },
    ],
    [
      'SMS',
      { id: 'x', type: 'API' },
      { from: '+1', to: '+2', content: 'Hey' },
      { channel: 'SMS', direction: 'outbound', text: 'Hey' },
    ],
    [
      'FACEBOOK_MESSAGE',
      customer,
      { pageId: 'p', userId: 'q', content: 'Yo' },
      { channel: 'FB_MESSENGER', direction: 'inbound', text: 'Yo' },
    ],
    ['WHATSAPP', customer, { content: 'Hola' }, { channel: 'WHATSAPP', direction: 'inbound', text: 'Hola' }],
    [
      'INSTAGRAM_DIRECT',
      customer,
      { content: 'Ola' },
      { channel: 'INSTAGRAM_DIRECT', direction: 'inbound', text: 'Ola' },
    ],
    ['TWITTER', customer, { content: 'Tweet' }, { channel: 'TWITTER', direction: 'inbound', text: 'Tweet' }],
    [
      'PHONE_CALL',
      customer,
      { from: '+1', to: '+2', startedAt: 't', recordingDuration: '100' },
      { channel: 'PHONE_CALL', direction: 'inbound', text: null },
    ],
    ['VOICEMAIL', customer, {}, { channel: 'VOICEMAIL', direction: 'inbound', text: null }],
    [
      'VOICE_AI_MESSAGE',
      { id: 'SIDEKICK_V2', type: 'SYSTEM' },
      { companyNumber: '+1', body: 'Hi' },
      { channel: 'PHONE_CALL', direction: 'outbound', text: 'Hi' },
    ],
    ['CONVERSATION_NOTE', agent, { body: 'A note' }, { channel: null, direction: null, text: 'A note' }],
    [
      'CUSTOMER_ACTIVITY',
      { id: 'x', type: 'API' },
      { title: 'Survey', body: 'Good', activityType: 'SURVEY' },
      { channel: null, direction: null, subject: 'Survey', text: 'Good' },
    ],
    ['TOPIC_CHANGE', agent, { addedTopicIds: ['t1'] }, { channel: null, direction: null, text: null }],
    ['CONVERSATION_STATUS_CHANGE', agent, { status: 'CLOSED' }, { channel: null, direction: null, text: null }],
    [
      'TEXT',
      customer,
      { customChannelId: 'cc', sessionId: 's1', content: { text: 'Psst' } },
      { channel: 'CUSTOM_CHANNEL', direction: 'inbound', text: 'Psst' },
    ],
    [
      'FILES',
      agent,
      { customChannelId: 'cc', content: { caption: 'Look', files: [{ url: 'u' }] } },
      { channel: 'CUSTOM_CHANNEL', text: 'Look', attachments: 1 },
    ],
  ])('%s', (type, initiator, content, expected) => {
    const raw = { ...base, initiator, content: { type, ...content } };
    const { item, drift } = read(raw);
    expect(item).toMatchObject({
      id: 'i1',
      conversationId: 'c1',
      customerId: 'u1',
      type,
      initiatorType: initiator.type,
      initiatorId: initiator.id,
      ...expected,
    });
    expect(item.raw).toEqual(raw);
    expect(drift).toEqual([]);
  });

  it('counts attachments where they may be', () => {
    const raw = {
      ...base,
      content: { type: 'EMAIL', content: 'x', attachments: [{ id: '1' }, { id: '2' }] },
      attachments: [{ id: '3' }],
    };
    expect(read(raw).item.attachments).toBe(3);
  });

  it('leaves the direction open when nobody is named', () => {
    expect(read({ ...base, content: { type: 'EMAIL', content: 'x' } }).item).toMatchObject({
      direction: null,
      channel: 'EMAIL',
    });
  });
});

describe('what we do not know', () => {
  it('is kept and reported: types, parties, fields', () => {
    const raw = {
      ...base,
      mood: 'good',
      initiator: { id: 'z', type: 'ROBOT' },
      content: { type: 'HOLOGRAM', body: 'Bzz' },
    };
    const { item, drift } = read(raw);
    expect(item).toMatchObject({
      type: 'HOLOGRAM',
      text: 'Bzz',
      channel: null,
      direction: null,
      initiatorType: 'ROBOT',
      raw,
    });
    expect(drift).toEqual(['item.field:mood', 'item.type:HOLOGRAM', 'item.party:ROBOT']);
  });

  it('does not repeat what may be a text of a customer', () => {
    const { drift } = read({
      ...base,
      content: { type: 'please call me at +1 415 333 5555!' },
      'jane@acme.example': 1,
    });
    expect(drift).toEqual(['item.field:(other)', 'item.type:(other)']);
  });

  it('stops nothing when parts are missing or of another type', () => {
    expect(read({ id: 'i1' })).toMatchObject({
      item: { id: 'i1', type: null, timestamp: null, text: null },
      drift: ['item.missing:content.type', 'item.missing:timestamp'],
    });
    expect(read({ ...base, timestamp: 'noon', content: 'text', initiator: 'x', attachments: 3 }).item).toMatchObject({
      timestamp: null,
      attachments: 0,
    });
    // An example of Gladly's own documentation has names like this one.
    expect(read({ ...base, initiator: { 'id"': 'z' }, content: { type: 'TASK' } }).item.initiatorId).toBeNull();
  });

  it('is no item without an id', () => {
    for (const raw of [null, [], 'x', {}, { id: '' }, { id: 5 }]) expect(readItem(raw)).toBeNull();
  });
});

describe('JSON for Postgres', () => {
  it('loses only what jsonb refuses: NUL and half surrogate pairs', () => {
    const text = String.raw`{"a\u0000":"x\u0000y","b":["\ud83d","\ud83d\ude00","\\u0000"],"c":{"d":null,"e":1.5,"f":true},"__proto__":"\u0000"}`;
    expect(JSON.stringify(parseStorableJson(text))).toBe(
      String.raw`{"a�":"x�y","b":["�","😀","\\u0000"],"c":{"d":null,"e":1.5,"f":true},"__proto__":"�"}`,
    );
  });

  it('leaves everything else as JSON.parse reads it', () => {
    const text = '{"a":"😀 \\u00e9 \\n","b":[1,2,{"c":null}]}';
    expect(parseStorableJson(text)).toEqual(JSON.parse(text));
    expect(() => parseStorableJson('{')).toThrow(SyntaxError);
  });
});
