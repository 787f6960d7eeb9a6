import { expect, it } from 'vitest';
import { Extract, type ExtractDeps, obstacleOf } from '../../../src/activities/drain/extract.ts';
import { MAINTENANCE_MS } from '../../../src/activities/drain/limits.ts';
import { readConversation } from '../../../src/activities/drain/read-conversation.ts';
import { Room } from '../../../src/activities/drain/room.ts';
import { GladlyError } from '../../../src/gladly/errors.ts';
import { type Answerer, clientOf, extraHost, startHttp } from '../../support/gladly/server.ts';

const event = (itemId: string | null) => ({
  eventId: 'e1',
  type: 'CONTACT/MESSAGE_SENT',
  itemId,
  customerId: null,
  receivedAt: new Date(),
  attempts: 0,
  missingMs: null,
});
const due = (failures: number, itemId: string | null = null) => ({
  conversationId: 'c1',
  events: [event(itemId)],
  isStored: false,
  failures,
});

/** Extract over a Gladly that answers like this, and a ledger in which one conversation is due. */
async function extractOver(answer: Answerer, held = 0) {
  const client = clientOf(extraHost(await startHttp(answer)));
  const stored: unknown[] = [];
  const deps: ExtractDeps = {
    due: async (_limit, except) => (except.has('c1') ? [] : [due(0)]),
    nextDueMs: async () => null,
    store: async (results) => {
      stored.push(...results);
      return results;
    },
    stored: () => undefined,
    client,
    readingsAtOnce: () => 1,
    lastRead: async () => [],
    failing: async () => [],
    heldMs: () => held,
    troubledForMs: () => 0,
    patienceMs: 1_000,
    room: new Room(1_000_000),
  };
  return { extract: new Extract(deps), stored };
}

it('a stop ends it also while it asks whether Gladly as a whole is in trouble, and nothing is given up', async () => {
  const asked = Promise.withResolvers<void>();
  const { extract, stored } = await extractOver((request, response) => {
    // The organization does not answer until the caller is gone.
    if (request.url === '/api/v1/organization') asked.resolve();
    else response.writeHead(403, { 'content-type': 'application/json' }).end('{"errors":[]}');
  });
  const stop = new AbortController();
  const running = extract.run(stop.signal, new AbortController().signal);
  await asked.promise;
  stop.abort();
  await expect(running).resolves.toBeUndefined();
  expect(stored).toEqual([]);
  expect(extract.obstacle).toBeUndefined();
});

it('is over when enough was done, although Gladly wants to be asked nothing for an hour', async () => {
  const asked = Promise.withResolvers<void>();
  // A turn that does not come looks like an answer that does not.
  const { extract, stored } = await extractOver(() => asked.resolve(), 3_600_000);
  const enough = new AbortController();
  const running = extract.run(new AbortController().signal, enough.signal);
  await asked.promise;
  enough.abort();
  await expect(running).resolves.toBeUndefined();
  expect(stored).toEqual([]);
  expect(extract).toMatchObject({ starved: true, obstacle: undefined });
}, 5_000);

it('pages in the place of Gladly are maintenance for a while, and then a matter for a person', () => {
  const request = { host: 'acme.gladly.com', method: 'GET', path: '/api/v1/organization' };
  const elsewhere = new GladlyError({ kind: 'redirect', target: 'status.gladly.com' }, request, 302);
  expect(obstacleOf(elsewhere, 0)).toMatchObject({
    kind: 'waiting_for_gladly',
    problem: { code: 'gladly_maintenance' },
  });
  expect(obstacleOf(elsewhere, MAINTENANCE_MS)).toMatchObject({
    kind: 'needs_attention',
    problem: { code: 'redirect_refused' },
  });
});

it.each([
  ['that is too slow', 'slow', 0],
  ['that is refused', 403, 3],
  ['that is nowhere', 404, 3],
  ['that is no list', 200, 3],
])(
  'a list %s is asked for again, and in the end costs neither the head nor the items that events name',
  async (_, how, failures) => {
    const client = clientOf(
      extraHost(
        await startHttp((request, response) => {
          const json = (status: number, body: unknown) =>
            response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
          if (request.url === '/api/v1/conversations/c1') json(200, { id: 'c1', status: 'OPEN' });
          else if (request.url === '/api/v1/conversation-items/i1') json(200, { id: 'i1', content: { type: 'EMAIL' } });
          else if (typeof how === 'number') json(how, { errors: [{ code: 'x' }] });
        }),
      ),
      { timeoutMs: 150 },
    );
    const signal = new AbortController().signal;
    await expect(readConversation(client, due(failures === 0 ? 0 : failures - 1, 'i1'), 1_000, signal)).rejects.toThrow(
      GladlyError,
    );
    const read = await readConversation(client, due(3, 'i1'), 1_000, signal);
    expect(read).toMatchObject({ extracted: ['e1'], reading: { limited: true }, items: [{ id: 'i1' }] });
  },
);

it.each(['the list', 'the head'])(
  'a conversation that is not there is no failure of its list, also when %s is answered first',
  async (first) => {
    const client = clientOf(
      extraHost(
        await startHttp((request, response) => {
          const isFirst = (first === 'the list') === (request.url?.includes('/items') ?? false);
          const answer = () =>
            response.writeHead(404, { 'content-type': 'application/json' }).end('{"errors":[{"code":"x"}]}');
          if (isFirst) answer();
          else setTimeout(answer, 200);
        }),
      ),
    );
    const { later } = await readConversation(client, due(0), 1_000, new AbortController().signal);
    expect(later).toMatchObject({ eventIds: ['e1'], reason: 'conversation_not_found' });
  },
);
