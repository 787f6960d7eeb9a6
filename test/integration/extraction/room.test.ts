import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Extract, type ExtractDeps } from '../../../src/activities/drain/extract.ts';
import { Room } from '../../../src/activities/drain/room.ts';
import type { ConversationResult } from '../../../src/contracts/reading.ts';
import { clientOf, extraHost, startHttp } from '../../support/gladly/server.ts';

const MB = 1024 * 1024;
/** What a list has around its one text, in bytes. */
const AROUND = '[{"id":"i1","content":{"type":"EMAIL","body":""}}]'.length;

/** A Gladly whose conversations have an item of so many bytes each, sent in pieces; and what readers hold of it that nobody has stored yet. */
async function gladlyOf(bytes: number) {
  const memory = { now: 0, most: 0, lists: 0 };
  const list = async (response: ServerResponse): Promise<void> => {
    memory.lists += 1;
    response.write('[{"id":"i1","content":{"type":"EMAIL","body":"');
    for (let left = bytes; left > 0 && !response.destroyed; left -= MB / 4) {
      response.write('x'.repeat(Math.min(left, MB / 4)));
      await sleep(2);
    }
    response.end('"}}]');
  };
  const client = clientOf(
    extraHost(
      await startHttp((request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        if (request.url?.endsWith('/items')) void list(response);
        else response.end('{"id":"c","status":"OPEN"}');
      }),
    ),
  );
  const watched: typeof client = {
    ...client,
    async listConversationItems(id, signal, meter) {
      let came = 0;
      try {
        return await client.listConversationItems(id, signal, (more) => {
          came += more;
          memory.now += more;
          memory.most = Math.max(memory.most, memory.now);
          meter?.(more);
        });
      } catch (error) {
        memory.now -= came;
        throw error;
      }
    },
  };
  return { client: watched, memory };
}

/** A drain of a tenant with so many conversations that are due; ends when they are stored. */
async function drain(
  room: Room,
  conversations: number,
  client: ExtractDeps['client'],
  onStored: () => void,
  store?: ExtractDeps['store'],
): Promise<ConversationResult[]> {
  const done: ConversationResult[] = [];
  const enough = new AbortController();
  const stored = new Set<string>();
  const extract = new Extract({
    client,
    room,
    due: async (limit, except) =>
      Array.from({ length: conversations }, (_, n) => `c${n}`)
        .filter((id) => !except.has(id) && !stored.has(id))
        .slice(0, limit)
        .map((conversationId) => ({
          conversationId,
          isStored: false,
          failures: 0,
          events: [
            {
              eventId: `e-${conversationId}`,
              type: null,
              itemId: null,
              customerId: null,
              receivedAt: new Date(),
              attempts: 0,
              missingMs: null,
            },
          ],
        })),
    nextDueMs: async () => null,
    store:
      store ??
      (async (results) => {
        await sleep(20);
        for (const result of results) {
          onStored();
          done.push(result);
          stored.add(result.conversationId);
        }
        if (stored.size === conversations) enough.abort();
        return results;
      }),
    stored: () => undefined,
    readingsAtOnce: () => 10,
    lastRead: async () => [],
    failing: async () => [],
    heldMs: () => 0,
    troubledForMs: () => 0,
    patienceMs: 1_000,
  });
  await extract.run(new AbortController().signal, enough.signal);
  return done;
}

it('drains of a worker share its memory for what they read: large conversations of many tenants come one after the other', async () => {
  const { client, memory } = await gladlyOf(4 * MB);
  const room = new Room(8 * MB);
  const onStored = () => {
    memory.now -= 4 * MB + AROUND;
  };
  const drains = await Promise.all(Array.from({ length: 6 }, () => drain(room, 2, client, onStored)));
  expect(drains.flat().flatMap(({ extracted }) => extracted)).toHaveLength(12);
  expect(memory.now).toBe(0);
  expect(room.isFull).toBe(false);
  // 48 MB without it. The last one in may exceed it.
  expect(memory.most).toBeLessThan(14 * MB);
  // None is asked for again more than once.
  expect(memory.lists).toBeLessThanOrEqual(24);
}, 30_000);

it('small conversations are read side by side, and each once', async () => {
  const { client, memory } = await gladlyOf(1);
  const drains = await Promise.all(
    Array.from({ length: 4 }, () => drain(new Room(8 * MB), 20, client, () => undefined)),
  );
  expect(drains.flat()).toHaveLength(80);
  expect(memory.lists).toBe(80);
});

it('one that is larger than the room is read by itself', async () => {
  const { client } = await gladlyOf(6 * MB);
  const room = new Room(MB);
  const [one, other] = await Promise.all([
    drain(room, 2, client, () => undefined),
    drain(room, 2, client, () => undefined),
  ]);
  for (const { reading } of [...one, ...other]) expect(reading?.items).toHaveLength(1);
  expect(room.isFull).toBe(false);
});

it('what could not be stored leaves the room to others', async () => {
  const { client } = await gladlyOf(2 * MB);
  const room = new Room(MB);
  const out = () => Promise.reject(new Error('Postgres is out'));
  await expect(drain(room, 3, client, () => undefined, out)).rejects.toThrow('Postgres is out');
  expect(room.isFull).toBe(false);
  room.take(MB - 1);
  expect(room.isFull).toBe(false);
});

it('a drain that is to end does not wait for room', async () => {
  const { client, memory } = await gladlyOf(MB);
  const room = new Room(1);
  room.take(1);
  const enough = new AbortController();
  setTimeout(() => enough.abort(), 100);
  const extract = new Extract({
    client,
    room,
    due: async (_, except) =>
      except.has('c1') ? [] : [{ conversationId: 'c1', isStored: false, failures: 0, events: [] }],
    nextDueMs: async () => null,
    store: async (results) => results,
    stored: () => undefined,
    readingsAtOnce: () => 1,
    lastRead: async () => [],
    failing: async () => [],
    heldMs: () => 0,
    troubledForMs: () => 0,
    patienceMs: 1_000,
  });
  await extract.run(new AbortController().signal, enough.signal);
  expect(memory.lists).toBe(0);
});
