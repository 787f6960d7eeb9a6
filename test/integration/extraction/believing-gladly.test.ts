import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { takeIn } from '../../../src/store/ledger/take-in.ts';
import { startGladly, type TestGladly } from '../../support/onboarding/gladly.ts';
import { createTenant, credentialsOf, type TestTenant } from '../../support/onboarding/tenant.ts';
import { startWorld, type World } from '../../support/onboarding/world.ts';
import { event } from '../../support/store/samples.ts';

/*
 * When to believe what Gladly answers: an answer about one thing is about one thing, only Gladly's own words count, nothing is given up quickly
 * or for good, no two clocks are compared, and what can be kept is kept.
 */

const problem = z.object({ code: z.string() }).loose().nullable();
const status = z
  .object({
    extraction: z.object({ state: z.string(), problem }).loose().nullable(),
    events: z.record(z.string(), z.unknown()),
  })
  .loose();
type Status = z.infer<typeof status>;

const made = z.object({ id: z.string(), customerId: z.string() });
const conversation = z
  .object({
    status: z.string(),
    limited: z.boolean(),
    goneAt: z.string().nullable(),
    items: z.array(z.object({ itemId: z.string() }).loose()),
  })
  .loose();
const truth = z.object({
  conversation: z.object({ status: z.string() }).loose(),
  items: z.array(z.object({ id: z.string() }).loose()),
});

const ALL = '/api/v1/conversations/**';
/** Long enough that what is not there in the first seconds is not gone, and short enough to see that it is in the end. */
const PATIENCE_MS = 8_000;

/** A tenant of an organization of its own, and what a test does with both. */
class Case {
  readonly world: World;
  readonly gladly: TestGladly;
  readonly tenant: TestTenant;
  /** States and problems that the status has shown. */
  readonly seen = new Set<string>();

  constructor(world: World, gladly: TestGladly, tenant: TestTenant) {
    this.world = world;
    this.gladly = gladly;
    this.tenant = tenant;
  }

  conversation = async (items = 2): Promise<string> =>
    made.parse(await this.gladly.control('POST', '/conversations', { items })).id;

  conversations = (count: number): Promise<string[]> =>
    Promise.all(Array.from({ length: count }, () => this.conversation()));

  change = (conversationId: string, count = 1): Promise<unknown> =>
    this.gladly.control('POST', '/emit', { count, conversationId, onlySubscribed: true });

  /** One conversation that is stored: Gladly showed it once. */
  async stored(): Promise<string> {
    const id = await this.conversation();
    await this.change(id);
    await this.when('one stored', ({ extracted }) => extracted === 1);
    return id;
  }

  async look(): Promise<Status> {
    const found = status.parse(await this.world.api('GET', `/v1/tenants/${this.tenant.id}`));
    this.seen.add(found.extraction?.state ?? '');
    if (found.extraction?.problem) this.seen.add(found.extraction.problem.code);
    return found;
  }

  async when(what: string, wanted: (events: Status['events']) => boolean, ms = 40_000): Promise<Status> {
    const end = Date.now() + ms;
    for (;;) {
      const found = await this.look();
      if (wanted(found.events)) return found;
      if (Date.now() > end) {
        const { extraction, events } = found;
        throw new Error(`${what}: not within ${ms} ms; last: ${JSON.stringify({ extraction, events })}`);
      }
      await sleep(100);
    }
  }

  async whenSeen(code: string, ms = 30_000): Promise<void> {
    const end = Date.now() + ms;
    while (!this.seen.has(code)) {
      if (Date.now() > end) throw new Error(`${code} not within ${ms} ms; seen: ${[...this.seen].join()}`);
      await this.look();
      await sleep(100);
    }
  }

  async lookFor(ms: number): Promise<void> {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(200)) await this.look();
  }

  read = async (id: string) =>
    conversation.parse(await this.world.api('GET', `/v1/tenants/${this.tenant.id}/conversations/${id}`));

  truth = async (id: string) => truth.parse(await this.gladly.control('GET', `/conversations/${id}`));

  pause = (): Promise<unknown> => this.world.api('POST', `/v1/tenants/${this.tenant.id}/pause`, { reason: 'a test' });
  again = (): Promise<unknown> => this.world.api('POST', `/v1/tenants/${this.tenant.id}/recheck`);
  resume = (): Promise<unknown> => this.world.api('POST', `/v1/tenants/${this.tenant.id}/resume`);
}

describe('extraction believes Gladly', { timeout: 240_000 }, () => {
  let world: World;
  const gladlies: TestGladly[] = [];
  const CASES = 23;

  beforeAll(async () => {
    for (let n = 0; n < CASES; n += 1) gladlies.push(await startGladly());
    const env = {
      GLADLY_WAIT_MS: '300',
      GLADLY_WAIT_MAX_MS: '600',
      ATTENTION_LOOK_MS: '600000',
      MISSING_PATIENCE_MS: String(PATIENCE_MS),
    };
    world = await startWorld({ gladlyHosts: gladlies.map(({ host }) => host), env });
  }, 120_000);
  afterAll(async () => {
    await world?.close();
    await Promise.all(gladlies.map((gladly) => gladly.close()));
  });

  let used = 0;
  const connected = async (): Promise<Case> => {
    const gladly = gladlies[used++];
    if (!gladly) throw new Error('There are too few organizations.');
    const tenant = await createTenant(world, { webhookSetup: 'create_for_me' });
    await tenant.give(credentialsOf(gladly));
    await tenant.until(({ onboarding }) => onboarding.state === 'done');
    return new Case(world, gladly, tenant);
  };

  it.concurrent('about one conversation that it refuses (403), and about no other', async () => {
    const on = await connected();
    const [sick = '', ...others] = await on.conversations(6);
    await on.gladly.fault({ path: `/api/v1/conversations/${sick}**`, status: 403, body: 'empty' });
    await on.change(sick);
    for (const id of others) await on.change(id, 4);
    await on.when('all others', ({ extracted, waiting }) => extracted === 20 && waiting === 1);
    expect([...on.seen]).not.toContain('needs_attention');
    await on.gladly.clearFaults();
    await on.when('the one', ({ extracted, waiting }) => extracted === 21 && waiting === 0, 75_000);
  });

  it.concurrent('about items that it refuses (403), and about nothing else', async () => {
    const on = await connected();
    const large = await on.conversation(1_100);
    await on.gladly.fault({ path: '/api/v1/conversation-items/*', status: 403, body: 'empty' });
    await on.change(large, 3);
    const head = await vi.waitFor(() => on.read(large), { timeout: 30_000, interval: 200 });
    expect(head.limited).toBe(true);
    await on.look();
    expect([...on.seen]).not.toContain('needs_attention');
    await on.gladly.clearFaults();
    await on.when('all three', ({ extracted, rejected }) => extracted === 3 && rejected === 0);
  });

  it.concurrent.each([
    { status: 401, times: 1 },
    { status: 403, body: 'html', times: 1 },
    { status: 302, redirectTo: 'https://status.gladly.com/', times: 1 },
  ])('only when it says so again: %j', async (fault) => {
    const on = await connected();
    await on.gladly.fault({ path: ALL, ...fault });
    for (const id of await on.conversations(2)) await on.change(id);
    await on.when('both', ({ extracted }) => extracted === 2);
    expect([...on.seen]).not.toContain('needs_attention');
    expect([...on.seen]).not.toContain('waiting_for_gladly');
  });

  it.concurrent('when it refuses everything (403): then a person is asked', async () => {
    const on = await connected();
    await on.gladly.fault({ status: 403 });
    for (const id of await on.conversations(2)) await on.change(id);
    await on.whenSeen('forbidden');
    expect([...on.seen]).toContain('needs_attention');
  });

  it.concurrent('when it refuses every conversation, though not the organization (403)', async () => {
    const on = await connected();
    await on.stored();
    await on.gladly.fault({ path: ALL, status: 403 });
    for (const id of await on.conversations(5)) await on.change(id);
    await on.whenSeen('forbidden');
  });

  // A gateway's 404 lasts longer here than anything that is not there is waited for.
  it.concurrent.each([
    { path: '/api/v1/**', status: 404, body: 'html' },
    { path: '/api/v1/**', status: 404, body: 'text' },
    { path: '/api/v1/conversations/*/items', status: 404, body: 'html' },
    { path: '/api/v1/**', status: 302, redirectTo: 'https://status.gladly.com/' },
    { path: '/api/v1/**', status: 200, body: 'html' },
    { path: '/api/v1/**', status: 200, body: 'empty' },
  ])('and nobody who answers in its place: %j', async (fault) => {
    const on = await connected();
    const stored = await on.stored();
    const others = await on.conversations(4);
    await on.gladly.fault(fault);
    for (const id of [stored, ...others]) await on.change(id, 2);
    await on.lookFor(PATIENCE_MS + 6_000);
    const { events } = await on.look();
    expect(events).toMatchObject({ gone: 0, rejected: 0, waiting: 10 });
    // Where heads can be read it is not Gladly as a whole: the conversations wait, each by itself.
    if (!fault.path.endsWith('/items')) expect([...on.seen]).toContain('gladly_maintenance');
    expect([...on.seen]).not.toContain('needs_attention');
    await on.gladly.clearFaults();
    await on.when('all', ({ extracted, waiting }) => extracted === 11 && waiting === 0);
    expect(await on.read(stored)).toMatchObject({ goneAt: null });
  });

  it.concurrent('that a conversation is gone, while it still shows others that it showed before', async () => {
    const on = await connected();
    const stored = await on.stored();
    const others = await on.conversations(3);
    await on.gladly.fault({ path: ALL, status: 404 });
    for (const id of others) await on.change(id, 2);
    await on.whenSeen('conversations_not_found', 60_000);
    expect((await on.look()).events).toMatchObject({ gone: 0, waiting: 6 });
    await on.gladly.clearFaults();
    await on.when('all', ({ extracted, waiting }) => extracted === 7 && waiting === 0);
    await on.gladly.control('DELETE', `/conversations/${others[0]}`);
    await on.gladly.fault({ path: `/api/v1/conversations/${others[0]}**`, status: 404 });
    await on.change(stored);
    await takeIn(world.db, on.tenant.id, [event('of one that is gone', others[0] ?? '', new Date())]);
    await on.when('gone', ({ gone, extracted }) => gone === 1 && extracted === 8);
    expect(await on.read(others[0] ?? '')).toMatchObject({ goneAt: expect.any(String) });
  });

  it.concurrent('that many are gone at once: they keep nobody else from being read', async () => {
    const on = await connected();
    const ids = await on.conversations(8);
    for (const id of ids) await on.change(id);
    await on.when('all stored', ({ extracted }) => extracted === 8);
    const alive = await on.conversation();
    await on.pause();
    await on.change(ids[0] ?? '');
    for (const id of ids) await on.gladly.control('DELETE', `/conversations/${id}`);
    await on.resume();
    await on.whenSeen('conversations_not_found', 60_000);
    await on.change(alive);
    await on.when('the living one', ({ extracted }) => extracted === 9, 15_000);
    await on.when('gone', ({ gone, waiting }) => gone === 1 && waiting === 0, 60_000);
  });

  it.concurrent('about one conversation (403), also where it never lets us read the organization', async () => {
    const on = await connected();
    await on.gladly.fault({ path: '/api/v1/organization', status: 403 });
    await on.stored();
    const [sick = '', ...others] = await on.conversations(4);
    await on.gladly.fault({ path: `/api/v1/conversations/${sick}**`, status: 403, body: 'empty' });
    await on.change(sick);
    await on.lookFor(4_000);
    for (const id of others) await on.change(id);
    await on.when('all others', ({ extracted, waiting }) => extracted === 4 && waiting === 1);
    expect([...on.seen]).not.toContain('needs_attention');
  });

  // Longer than a list is asked for before one is done without (LIST_GIVEN_UP).
  it.concurrent.each([{ status: 404 }, { status: 403, body: 'empty' }])(
    'that one list cannot be had, and not that none can: %j',
    async (fault) => {
      const on = await connected();
      const stored = await on.stored();
      const ids = [stored, ...(await on.conversations(3))];
      await on.gladly.fault({ path: '/api/v1/conversations/*/items', ...fault });
      for (const id of ids) await on.change(id);
      await on.lookFor(80_000);
      expect((await on.look()).events).toMatchObject({ extracted: 1, gone: 0, rejected: 0, waiting: 4 });
      await on.gladly.clearFaults();
      await on.when('all', ({ extracted, waiting }) => extracted === 5 && waiting === 0, 75_000);
      for (const id of ids) {
        const read = await on.read(id);
        expect(read).toMatchObject({ limited: false });
        expect(read.items).toHaveLength((await on.truth(id)).items.length);
      }
    },
  );

  it.concurrent('in the order in which it was asked, whatever its clocks say', async () => {
    const on = await connected();
    await on.gladly.control('PATCH', '/settings', { nodeClocksMs: [5_000, 0, 60_000, -30_000] });
    const ids = await on.conversations(4);
    for (let round = 0; round < 6; round += 1) {
      for (const id of ids) await on.change(id, 2);
      await sleep(700);
    }
    await on.when('all', ({ extracted, waiting }) => extracted === 48 && waiting === 0);
    for (const id of ids) {
      const [mine, theirs] = [await on.read(id), await on.truth(id)];
      expect(mine.status).toBe(theirs.conversation.status);
      expect(mine.items).toHaveLength(theirs.items.length);
    }
  });

  it.concurrent('that a new conversation is late, and not that it is not there', async () => {
    const on = await connected();
    await on.gladly.control('PATCH', '/settings', { newLagMs: 6_000 });
    await on.gladly.control('POST', '/emit', { count: 2, conversations: 1, onlySubscribed: true });
    await on.when('both', ({ extracted, gone }) => extracted === 2 && gone === 0);
  });

  it.concurrent('that a list is too large, and keeps the head and the items that events name', async () => {
    const on = await connected();
    const large = await on.conversation(4);
    await on.gladly.fault({ path: `/api/v1/conversations/${large}/items`, status: 200, body: 'huge' });
    await on.change(large, 4);
    await on.when('all four', ({ extracted, waiting }) => extracted === 4 && waiting === 0);
    expect(await on.read(large)).toMatchObject({ limited: true });
    await on.gladly.clearFaults();
    await on.change(large);
    await on.when('five', ({ extracted }) => extracted === 5);
    expect((await on.read(large)).items).toHaveLength((await on.truth(large)).items.length);
  });

  it.concurrent('about one list of names that it refuses, and asks for the others', async () => {
    const on = await connected();
    await on.gladly.fault({ path: '/api/v1/agents', status: 403 });
    const stored = await on.stored();
    const kinds = async (): Promise<string[]> => {
      const sql = 'SELECT kind FROM reference_fetches WHERE tenant_id = $1 ORDER BY kind';
      return (await world.db.query<{ kind: string }>(sql, [on.tenant.id])).rows.map(({ kind }) => kind);
    };
    // A drain that goes on for some seconds asks for names too.
    for (let n = 0; n < 60 && (await kinds()).length < 3; n += 1) {
      await on.change(stored);
      await sleep(300);
    }
    expect(await kinds()).toEqual(['inboxes', 'teams', 'topics']);
  });

  it.concurrent('and sets aside at once what cannot be asked for', async () => {
    const on = await connected();
    await takeIn(world.db, on.tenant.id, [event('up', '..', new Date()), event('here', '.', new Date())]);
    await on.stored();
    await on.when('both', ({ rejected, waiting }) => rejected === 2 && waiting === 0);
  });
});
