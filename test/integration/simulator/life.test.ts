import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Gladly, startGladly } from '../../support/simulator/gladly.ts';
import { startReceiver } from '../../support/simulator/receiver.ts';

const eventSchema = z.looseObject({
  id: z.string(),
  type: z.string(),
  timestamp: z.string(),
  initiator: z.looseObject({ id: z.string(), type: z.string() }).optional(),
  content: z.looseObject({
    conversationId: z.string(),
    messageId: z.string().optional(),
    noteId: z.string().optional(),
    assignee: z.looseObject({}).optional(),
    context: z.object({ assignee: z.looseObject({}) }).optional(),
  }),
});
const logged = async (gladly: Gladly) =>
  (await gladly.control(z.object({ events: z.array(eventSchema) }), 'GET', '/events?limit=10000')).events;

describe('the same seed', () => {
  test('gives the same organization and, for the same calls, the same events with the same ids', async () => {
    const run = async (seed: string) => {
      const gladly = await startGladly({ seed, conversations: 10, adminEmail: 'demo@company.example' });
      const directory = await Promise.all(
        ['agents', 'inboxes', 'teams', 'topics'].map(async (path) => {
          const as = { email: 'demo@company.example', apiToken: gladly.credentials.apiToken };
          return (await gladly.api('GET', `/${path}`, undefined, as)).json;
        }),
      );
      const first = await gladly.emit({ count: 150 });
      const second = await gladly.emit({ count: 50, conversations: 5 });
      const added = await gladly.control(z.unknown(), 'POST', '/conversations', { items: 3 });
      const contents = (await logged(gladly)).map(({ id, content }) => ({ id, content }));
      return { directory, first: first.events, second: second.events, added, contents };
    };
    const [one, same, other] = [await run('one'), await run('one'), await run('other')];
    expect(same).toEqual(one);
    expect(other.first).not.toEqual(one.first);
    expect(other.directory).not.toEqual(one.directory);
  });
});

describe('the events', () => {
  test('are about twelve a conversation, and interleave over many of them', async () => {
    const gladly = await startGladly();
    const { events } = await gladly.emit({ count: 5000 });
    expect(events).toHaveLength(5000);
    const perConversation = Map.groupBy(events, ({ conversationId }) => conversationId);
    const finished = [...perConversation.values()].filter((own) => own.some(({ type }) => type === 'CONTACT/ENDED'));
    const mean = finished.reduce((sum, own) => sum + own.length, 0) / finished.length;
    expect(mean).toBeGreaterThan(11);
    expect(mean).toBeLessThan(13);
    const windows = [1000, 2000, 3000].map((at) => events.slice(at, at + 100));
    for (const window of windows) {
      expect(new Set(window.map(({ conversationId }) => conversationId)).size).toBeGreaterThan(20);
    }
    expect(new Set(events.map(({ id }) => id)).size).toBe(5000);
  });

  test('carry the state before them, name what exists, and have times that only grow', async () => {
    const gladly = await startGladly({ conversations: 60 });
    await gladly.emit({ count: 1500 });
    const events = await logged(gladly);
    const assignees = new Map<string, unknown>();
    const fractions = new Set<number>();
    let last = '';
    for (const { type, content, timestamp, initiator } of events) {
      const { conversationId, context, assignee } = content;
      const before = assignees.get(conversationId);
      if (before !== undefined && context !== undefined) expect(context.assignee).toEqual(before);
      if (context !== undefined) assignees.set(conversationId, assignee ?? context.assignee);
      expect(initiator === undefined).toBe(type === 'CONVERSATION_STATUS/UPDATED');

      fractions.add(/\.(\d+)Z$/.exec(timestamp)?.[1]?.length ?? 0);
      const comparable = toNanoseconds(timestamp);
      expect(comparable > last).toBe(true);
      last = comparable;
    }
    expect(fractions.size).toBeGreaterThanOrEqual(4);

    for (const { content } of events.filter(({ type }) => /MESSAGE_|NOTE_CREATED/.test(type)).slice(0, 200)) {
      const item = await gladly.api('GET', `/conversation-items/${content.messageId ?? content.noteId}`);
      expect(item.json).toMatchObject({ conversationId: content.conversationId });
    }
  });

  test('leave the conversation as they say', async () => {
    const gladly = await startGladly();
    await gladly.emit({ count: 1000 });
    const byConversation = Map.groupBy(await logged(gladly), ({ content }) => content.conversationId);
    for (const [id, events] of byConversation) {
      const { conversation, items } = await gladly.dump(id);
      const ending = events.findLast(({ type }) => /CONVERSATION\/(CLOSED|REOPENED|CREATED)$/.test(type))?.type;
      if (ending === 'CONVERSATION/CLOSED')
        expect(conversation).toMatchObject({ status: 'CLOSED', closedAt: expect.any(String) });
      if (ending === 'CONVERSATION/REOPENED') expect(conversation).not.toHaveProperty('closedAt');
      const topics = events.flatMap(({ type, content }) =>
        type === 'CONVERSATION/TOPIC_ADDED' ? [content['topicId']] : [],
      );
      const removed = events.flatMap(({ type, content }) =>
        type === 'CONVERSATION/TOPIC_REMOVED' ? [content['topicId']] : [],
      );
      expect(conversation['topicIds'] ?? []).toEqual(topics.filter((topic) => !removed.includes(topic)));
      const times = items.map(({ timestamp }) => Date.parse(timestamp));
      expect(times).toEqual([...times].sort((a, b) => a - b));
    }
  });
});

/** Seconds and nine digits, so that texts compare as times do. */
function toNanoseconds(timestamp: string): string {
  const [seconds = '', fraction = ''] = timestamp.replace('Z', '').split('.');
  return `${seconds}.${fraction.padEnd(9, '0')}`;
}

describe('emitting', () => {
  test('opens a conversation with each change, when asked', async () => {
    const gladly = await startGladly();
    const { events } = await gladly.emit({ count: 12, newConversations: true });
    const created = events.filter(({ type }) => type === 'CONVERSATION/CREATED');
    expect(new Set(events.map(({ conversationId }) => conversationId)).size).toBe(created.length);
    expect(created.length).toBeGreaterThanOrEqual(6);
  });

  test('can be kept to one conversation, which is reopened when it has ended', async () => {
    const gladly = await startGladly();
    const [first] = (await gladly.emit({ count: 1 })).events;
    const id = first?.conversationId;
    const { events } = await gladly.emit({ count: 60, conversationId: id });
    expect(new Set(events.map(({ conversationId }) => conversationId))).toEqual(new Set([id]));
    const types = events.map(({ type }) => type);
    expect(types).toContain('CONVERSATION/CLOSED');
    expect(types).toContain('CONVERSATION/REOPENED');
  });

  test('can be spread over so many conversations', async () => {
    const gladly = await startGladly({ conversations: 5 });
    const { events } = await gladly.emit({ count: 120, conversations: 25 });
    expect(new Set(events.map(({ conversationId }) => conversationId)).size).toBe(25);
  });

  test('can count only what goes to a webhook', async () => {
    const [gladly, receiver] = await Promise.all([startGladly(), startReceiver()]);
    await gladly.subscribe(receiver.url, { events: ['CONVERSATION/CREATED', 'CONVERSATION/NOTE_CREATED'] });
    const { events, deliveries } = await gladly.emit({ count: 40, onlySubscribed: true });
    await gladly.settled();
    expect(receiver.events()).toHaveLength(40);
    expect([deliveries, events.filter(({ webhooks }) => webhooks === 1).length]).toEqual([40, 40]);
    expect(events.length).toBeGreaterThan(40);
  });

  test('says so when no webhook wants anything', async () => {
    const gladly = await startGladly();
    const refused = await gladly.call('POST', '/simulator/emit', { count: 1, onlySubscribed: true });
    expect(refused.status).toBe(409);
    await gladly.emit({ count: 5 });
  });

  test('can be paced, and looked after while it runs', async () => {
    const gladly = await startGladly();
    const runSchema = z.looseObject({ state: z.string(), events: z.array(z.unknown()) });
    const { run } = await gladly.control(z.object({ run: z.number() }), 'POST', '/emit', {
      count: 50,
      ratePerSecond: 25,
      wait: false,
    });
    const look = () => gladly.control(runSchema, 'GET', `/runs/${run}`);
    const early = await look();
    expect([early.state, early.events.length < 40]).toEqual(['running', true]);
    await expect.poll(async () => (await look()).state).toBe('finished');
    expect((await look()).events).toHaveLength(50);

    const started = Date.now();
    await gladly.emit({ count: 30, ratePerSecond: 100 });
    expect(Date.now() - started).toBeGreaterThanOrEqual(280);
  });

  test.each([{}, { count: 0 }, { count: 1.5 }, { count: 1, conversations: 0 }, { count: 1, speed: 2 }])(
    'refuses %j',
    async (request) => {
      const gladly = await startGladly();
      expect((await gladly.call('POST', '/simulator/emit', request)).status).toBe(422);
    },
  );
});

describe('life', () => {
  test('goes on by itself at the rate asked for, until it is stopped', async () => {
    const gladly = await startGladly({ rate: 50 });
    await expect.poll(async () => (await gladly.summary()).counts.events).toBeGreaterThan(20);
    await gladly.set({ rate: 0 });
    const { events } = (await gladly.summary()).counts;
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect((await gladly.summary()).counts.events).toBe(events);
  });

  test('a new organization has a past, and conversations that are still open', async () => {
    const gladly = await startGladly({ customers: 12, conversations: 30 });
    const { counts } = await gladly.summary();
    expect(counts.conversations).toBe(30);
    expect(counts.customers).toBeGreaterThanOrEqual(12);
    expect(counts.live).toBeGreaterThan(3);
    expect(counts.live).toBeLessThan(20);
    const present = Date.now();
    for (const { timestamp } of await logged(gladly)) expect(Date.parse(timestamp)).toBeLessThan(present);
  });

  test("Gladly's clock runs as fast as it is told, and the Date header shows it", async () => {
    const gladly = await startGladly({ clockFactor: 3600, clockOffsetMs: -72_000_000 });
    const [first] = (await gladly.emit({ count: 1 })).events;
    await new Promise((resolve) => setTimeout(resolve, 100));
    const { headers } = await gladly.api('GET', '/organization');
    const [event] = await logged(gladly);
    expect(event?.id).toBe(first?.id);
    const passed = Date.parse(headers.get('date') ?? '') - Date.parse(event?.timestamp ?? '');
    expect(passed).toBeGreaterThan(340_000);
    expect(Date.parse(event?.timestamp ?? '')).toBeLessThan(Date.now() - 3_600_000);
  });
});
