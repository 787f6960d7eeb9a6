import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrayElements, LEGACY_EVENT, parseEvent, SUBSCRIBED_EVENTS } from '../../../src/gladly/events.ts';

const CONTENT: Readonly<Record<string, object>> = {
  'CONVERSATION/NOTE_CREATED': { noteId: 'n1', customerId: 'u1', conversationId: 'c1' },
  'CONTACT/MESSAGE_SENT': {
    channel: 'EMAIL',
    contactId: 'k1',
    messageId: 'm1',
    customerId: 'u1',
    conversationId: 'c1',
  },
  'CONTACT/MESSAGE_RECEIVED': {
    channel: 'SMS',
    contactId: 'k1',
    messageId: 'm1',
    customerId: 'u1',
    conversationId: 'c1',
  },
  'MESSAGE/RECEIVED': { conversationId: 'c1', conversationItemId: 'm1' },
};

const envelope = (
  type: string,
  content: unknown = { customerId: 'u1', conversationId: 'c1', context: { assignee: { inboxId: 'i1' } } },
) => ({
  id: 'e1',
  type,
  timestamp: '2019-07-03T04:30:12.07Z',
  initiator: { id: 'a1', type: 'AGENT' },
  content,
});

const parsed = (value: unknown) => parseEvent(JSON.stringify(value));

describe('what a delivery is', () => {
  it.each(SUBSCRIBED_EVENTS)('%s is about its conversation', (type) => {
    const content = CONTENT[type];
    const event = parsed(envelope(type, content));
    expect(event).toMatchObject({
      kind: 'conversation',
      eventId: 'e1',
      type,
      timestamp: '2019-07-03T04:30:12.07Z',
      conversationId: 'c1',
    });
    const itemId = type.includes('NOTE') ? 'n1' : type.includes('MESSAGE') ? 'm1' : undefined;
    expect('itemId' in event ? event.itemId : undefined).toBe(itemId);
    expect('customerId' in event ? event.customerId : undefined).toBe(type === LEGACY_EVENT ? undefined : 'u1');
  });

  it.each([{ type: 'PING' }, { type: 'PING', id: 'p1', content: {} }, { type: 'PING', timestamp: 7, content: 'x' }])(
    'a PING, whatever else is in it: %j',
    (body) => {
      expect(parsed(body)).toEqual({ kind: 'ping' });
    },
  );

  it('a merge is about the conversation that took the other in', () => {
    const content = {
      destinationCustomerId: 'u2',
      destinationConversationId: 'c2',
      sourceCustomerId: 'u1',
      sourceConversationId: 'c1',
    };
    expect(parsed(envelope('CUSTOMER/MERGED', content))).toMatchObject({
      kind: 'conversation',
      conversationId: 'c2',
      customerId: 'u2',
      merge: { customerId: 'u1', conversationId: 'c1' },
    });
  });

  it.each(['CUSTOMER/MERGED', 'CUSTOMER_PROFILE/MERGED'])(
    '%s without conversations says whose are to be read anew',
    (type) => {
      const content = { sourceCustomerId: 'u1', destinationCustomerId: 'u2' };
      expect(parsed(envelope(type, content))).toMatchObject({
        kind: 'other',
        merge: { customerId: 'u1', conversationId: null },
      });
    },
  );

  it('a merge of a customer with an id that is none is about nobody', () => {
    expect(parsed(envelope('CUSTOMER/MERGED', { sourceCustomerId: '\0' }))).not.toHaveProperty('merge');
  });

  it.each(['AGENT_STATUS/LOGGED_IN', 'EXPORT_JOB/COMPLETED', 'CUSTOMER_PROFILE/UPDATED', 'TASK/CREATED'])(
    '%s is about no conversation',
    (type) => {
      expect(parsed(envelope(type, { jobId: 'j1' }))).toEqual({
        kind: 'other',
        eventId: 'e1',
        type,
        timestamp: '2019-07-03T04:30:12.07Z',
      });
    },
  );

  it('a new action on a conversation is about it too', () => {
    expect(parsed(envelope('CONVERSATION/SNOOZED')).kind).toBe('conversation');
  });

  it('an unknown type keeps what it says about a conversation', () => {
    expect(parsed(envelope('HOLOGRAM/BEAMED'))).toMatchObject({
      kind: 'unknown',
      conversationId: 'c1',
      customerId: 'u1',
    });
    expect(parsed(envelope('HOLOGRAM/BEAMED', {}))).toEqual({
      kind: 'unknown',
      eventId: 'e1',
      type: 'HOLOGRAM/BEAMED',
      timestamp: '2019-07-03T04:30:12.07Z',
    });
    expect(parsed(envelope('NO_SLASH')).kind).toBe('unknown');
  });

  it.each(['', '{', 'hello', '{"id":1,}', '\u0000'])('%j is not JSON', (text) => {
    expect(parseEvent(text)).toEqual({ kind: 'not_json' });
  });

  const good = envelope('CONVERSATION/CLOSED');
  it.each([
    ['no object', []],
    ['no object', [1]],
    ['no object', [{}, null]],
    ['no object', Array.from({ length: 1_001 }, () => ({}))],
    ['no object', null],
    ['no object', 'PING'],
    ['no type', { ...good, type: undefined }],
    ['no type', { ...good, type: 5 }],
    ['no content', { ...good, content: undefined }],
    ['no content', { ...good, content: [] }],
    ['no conversation id', { ...good, content: { customerId: 'u1' } }],
    ['no conversation id', { ...good, content: { conversationId: 'c\n1' } }],
    ['no conversation id', { ...good, content: { conversationId: '.' } }],
    ['no conversation id', { ...good, content: { conversationId: '..' } }],
    ['no conversation id', { ...good, content: { conversationId: 'c\u0085' } }],
  ])('%s: %j', (reason, body) => {
    expect(parsed(body)).toEqual({ kind: 'not_event', reason });
  });

  it.each([
    [undefined, null],
    ['', null],
    ['x'.repeat(201), null],
    ['a\u0000b', null],
    ['a\ud800b', null],
    [2 ** 60, null],
    [1.5, null],
    [{}, null],
    [12_345, '12345'],
    [0, '0'],
  ])('with the id %j it is still about its conversation', (id, eventId) => {
    expect(parsed({ ...good, id })).toMatchObject({ kind: 'conversation', eventId, conversationId: 'c1' });
  });

  it.each([
    [undefined, null],
    ['yesterday', null],
    ['', null],
    [{}, null],
    [1e300, null],
    [1_767_603_600, '2026-01-05T09:00:00.000Z'],
    [1_767_603_600.12, '2026-01-05T09:00:00.120Z'],
    [1_767_603_600_120, '2026-01-05T09:00:00.120Z'],
    ['1767603600', '2026-01-05T09:00:00.000Z'],
    ['1767603600120', '2026-01-05T09:00:00.120Z'],
    ['2026-01-05T09:00:00.123456789Z', '2026-01-05T09:00:00.123456789Z'],
  ])('with the timestamp %j it is still about its conversation', (given, timestamp) => {
    expect(parsed({ ...good, timestamp: given })).toMatchObject({
      kind: 'conversation',
      timestamp,
      conversationId: 'c1',
    });
  });

  it('a byte order mark is no part of it', () => {
    expect(parseEvent(`\uFEFF${JSON.stringify(good)}`)).toMatchObject({ kind: 'conversation', eventId: 'e1' });
    expect(parseEvent('\uFEFF{"type":"PING"}')).toEqual({ kind: 'ping' });
    expect(parseEvent(`\uFEFF\uFEFF${JSON.stringify(good)}`)).toEqual({ kind: 'not_json' });
  });

  it('objects in an array are several', () => {
    expect(parsed([good, { type: 'PING' }, {}])).toEqual({ kind: 'several' });
  });

  it('an id of which a path would mean something else is none, and what only looks like it is one', () => {
    const of = (content: object) => parsed(envelope('CONVERSATION/NOTE_CREATED', content));
    expect(of({ conversationId: 'c1', noteId: '..' })).not.toHaveProperty('itemId');
    for (const conversationId of ['...', '../agents', '..%2f', 'a.b']) {
      expect(of({ conversationId })).toMatchObject({ kind: 'conversation', conversationId });
    }
  });

  it('a type that is the name of something in JavaScript is unknown like any other', () => {
    expect(parsed(envelope('constructor/x')).kind).toBe('unknown');
  });
});

describe('whatever is sent', () => {
  it('is one of the kinds, and nothing is thrown', () => {
    const kinds = ['ping', 'conversation', 'other', 'unknown', 'several', 'not_json', 'not_event'];
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record({ id: fc.string(), type: fc.string(), timestamp: fc.string(), content: fc.object() })
        .map((it) => JSON.stringify(it)),
    );
    fc.assert(
      fc.property(text, (it) => kinds.includes(parseEvent(it).kind)),
      { numRuns: 2_000 },
    );
  });

  it('keeps ids that can be stored and sent in a path', () => {
    const body = fc.record({ id: fc.string({ unit: 'binary' }), conversationId: fc.string({ unit: 'binary' }) });
    fc.assert(
      fc.property(body, ({ id, conversationId }) => {
        const event = parsed({ ...envelope('CONVERSATION/CLOSED', { conversationId }), id });
        if (event.kind !== 'conversation') return;
        for (const kept of [event.eventId ?? 'none', event.conversationId]) {
          expect(['.', '..']).not.toContain(kept);
          expect(kept.isWellFormed()).toBe(true);
          expect(kept).not.toContain('\0');
        }
        expect([event.eventId ?? id, event.conversationId]).toEqual([id, conversationId]);
      }),
    );
  });
});

describe('the elements of an array', () => {
  it('are what JSON.parse reads, whatever is in them', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { minLength: 1 }), fc.constantFrom(0, 1, 3), (values, spaces) => {
        const texts = arrayElements(`\uFEFF \n${JSON.stringify(values, null, spaces)}\n`);
        expect(texts.map((text) => JSON.parse(text) as unknown)).toEqual(JSON.parse(JSON.stringify(values)));
      }),
    );
  });

  it('keep their own spelling', () => {
    const texts = ['{"n":7615917337495251231,"q":"\\"],[\\\\"}', '{"e":1e400}'];
    expect(arrayElements(`[ ${texts.join(' , ')} ]`)).toEqual(texts);
  });
});
