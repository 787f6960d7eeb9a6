import { expect, it } from 'vitest';
import { assertFence, beginDrain, StaleDrainError } from '../../../src/store/drains.ts';
import { eventCounts } from '../../../src/store/ledger/counters.ts';
import { type Rescheduling, reschedule } from '../../../src/store/ledger/reschedule.ts';
import { nextDueMs, selectDue } from '../../../src/store/ledger/select-due.ts';
import { takeIn } from '../../../src/store/ledger/take-in.ts';
import { waitingEvents } from '../../../src/store/ledger/waiting.ts';
import { at, countsBothWays, event, settleEvents, takeInThen } from '../../support/store/samples.ts';
import { describeStore } from '../../support/store/store-suite.ts';

describeStore('pick', (store) => {
  const settling = { settleMs: 1_000, settleMaxMs: 10_000 };
  const due = async (tenantId: string, seconds: number, excluding: readonly string[] = []) => {
    const picked = await selectDue(store.db, tenantId, {
      ...settling,
      now: at(seconds),
      excluding,
      limit: 10,
      newestShare: 0,
    });
    return picked.map(({ conversationId }) => conversationId);
  };
  const putOff = (tenantId: string, reschedulings: readonly Rescheduling[]) =>
    store.db.transaction((tx) => reschedule(tx, tenantId, reschedulings));
  const next = (tenantId: string, seconds: number, excluding: readonly string[] = []) =>
    nextDueMs(store.db, tenantId, { ...settling, now: at(seconds), excluding });

  it('waits until a conversation is quiet, and at the latest until the bound', async () => {
    const tenantId = await store.tenant();
    await takeInThen(store.db, tenantId, [event('e1', 'c1', at(0)), event('e2', 'c2', at(0))]);
    expect(await next(tenantId, 0)).toBe(1_000);
    expect(await due(tenantId, 0.999)).toEqual([]);
    for (let n = 1; n <= 20; n += 1) await takeInThen(store.db, tenantId, [event(`more-${n}`, 'c1', at(n * 0.5))]);
    expect(await due(tenantId, 9.9)).toEqual(['c2']);
    expect(await next(tenantId, 9.9, ['c2'])).toBe(100);
    expect(await due(tenantId, 10)).toEqual(['c1', 'c2']);
    expect(await due(tenantId, 10, ['c2'])).toEqual(['c1']);
    expect(await next(tenantId, 12, ['c1', 'c2'])).toBeNull();
  });

  it('takes the oldest need first and lets a backlog not starve the freshest', async () => {
    const tenantId = await store.tenant();
    await takeInThen(
      store.db,
      tenantId,
      Array.from({ length: 50 }, (_, n) => event(`e${n}`, `c${String(n).padStart(2, '0')}`, at(n))),
    );
    const picked = async (limit: number, newestShare: number, random = 0) => {
      const found = await selectDue(store.db, tenantId, {
        ...settling,
        now: at(100),
        limit,
        newestShare,
        random: () => random,
      });
      return found.map(({ conversationId }) => conversationId);
    };
    expect(await picked(4, 0)).toEqual(['c00', 'c01', 'c02', 'c03']);
    expect(await picked(8, 0.25)).toEqual(['c00', 'c01', 'c02', 'c49', 'c03', 'c04', 'c05', 'c48']);
    expect(await picked(1, 0.25, 0.74)).toEqual(['c00']);
    expect(await picked(1, 0.25, 0.75)).toEqual(['c49']);
    const all = await picked(100, 0.25);
    expect(all).toHaveLength(50);
    expect(new Set(all).size).toBe(50);
  });

  it('leaves what was postponed alone until its time', async () => {
    const tenantId = await store.tenant();
    await takeInThen(store.db, tenantId, [
      event('e1', 'c1', at(0)),
      event('e2', 'c1', at(0)),
      event('e3', 'c2', at(1)),
    ]);
    await putOff(tenantId, [
      { conversationId: 'c1', inMs: 60_000, reason: 'item_not_found', eventIds: ['e2'] },
      { conversationId: 'c2', inMs: 90_000, reason: 'server_error' },
      { conversationId: 'not there', inMs: 90_000, reason: 'server_error' },
    ]);
    // From now on, by Postgres's clock.
    const { rows } = await store.db.query<{ at: Date }>(
      `SELECT not_before - interval '60 s' AS at FROM pending_conversations WHERE tenant_id = $1 AND conversation_id = 'c1'`,
      [tenantId],
    );
    const putOffAt = rows[0]?.at.getTime() ?? Number.NaN;
    const after = (seconds: number) => ({ ...settling, now: new Date(putOffAt + 1_000 * seconds) });
    const dueThen = async (seconds: number) =>
      (await selectDue(store.db, tenantId, { ...after(seconds), limit: 10, newestShare: 0 })).map(
        ({ conversationId, attempts }) => [conversationId, attempts],
      );
    expect(await dueThen(59)).toEqual([]);
    expect(await nextDueMs(store.db, tenantId, after(59))).toBeOneOf([1_000, 1_001]);
    expect(await dueThen(60.1)).toEqual([['c1', 0]]);
    await putOff(tenantId, [{ conversationId: 'c2', inMs: 95_000, reason: 'server_error' }]);
    expect(await dueThen(120)).toEqual([
      ['c1', 0],
      ['c2', 2],
    ]);
    const events = await waitingEvents(store.db, tenantId, ['c1', 'c2']);
    expect(events.get('c1')?.map(({ eventId, attempts }) => [eventId, attempts])).toEqual([
      ['e1', 0],
      ['e2', 1],
    ]);
    expect(events.get('c2')?.map(({ attempts }) => attempts)).toEqual([0]);
    const { kept, counted } = await countsBothWays(store.db, tenantId);
    expect(kept).toEqual(counted);
  });

  it.each([
    ['ahead', 120],
    ['behind', -1_200],
    ['years ahead', 1e8],
  ])('is not moved by the clock of the process that accepted an event: %s', async (_, seconds) => {
    const tenantId = await store.tenant();
    const receivedAt = new Date(Date.now() + seconds * 1_000);
    await takeIn(store.db, tenantId, [event('e1', 'c1', receivedAt)]);
    const settled = (settleMs: number) =>
      selectDue(store.db, tenantId, { settleMs, settleMaxMs: settleMs, limit: 10, newestShare: 0 });
    expect(await settled(0)).toHaveLength(1);
    // A minute of quiet is not over, whatever the event says.
    expect(await settled(60_000)).toEqual([]);
    expect(await nextDueMs(store.db, tenantId, { settleMs: 60_000, settleMaxMs: 60_000 })).toBeGreaterThan(30_000);
    const { oldestWaitingAt } = await eventCounts(store.db, tenantId);
    expect(Math.abs((oldestWaitingAt?.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  it('sees only its own tenant', async () => {
    const [tenantId, other] = [await store.tenant(), await store.tenant()];
    await takeInThen(store.db, other, [event('e1', 'c1', at(0))]);
    expect(await due(tenantId, 100)).toEqual([]);
    expect(await next(tenantId, 100)).toBeNull();
  });

  it('never loses an event to a settlement at the same moment', async () => {
    const tenantId = await store.tenant();
    const ids = Array.from({ length: 60 }, (_, n) => `e${n}`);
    const taking = async () => {
      for (const id of ids) await takeInThen(store.db, tenantId, [event(id, 'c1', at(1))]);
    };
    let open = ids.length;
    const settling = async () => {
      while (open > 0) {
        const waiting = (await waitingEvents(store.db, tenantId, ['c1'])).get('c1') ?? [];
        const { extracted } = await store.db.transaction((tx) =>
          settleEvents(
            tx,
            tenantId,
            waiting.map(({ eventId }) => ({ eventId, state: 'extracted' as const })),
          ),
        );
        open -= extracted;
      }
    };
    await Promise.all([taking(), settling(), settling()]);
    const { kept, counted } = await countsBothWays(store.db, tenantId);
    expect(kept).toEqual(counted);
    expect(kept).toMatchObject({ waiting: 0, extracted: 60, pending: 0 });
  });
});

describeStore('the fence', (store) => {
  it('lets a new drain begin only before or after a transaction of the old one', async () => {
    const tenantId = await store.tenant();
    const old = await beginDrain(store.db, tenantId, 'w1');
    const order: string[] = [];
    let beginning: Promise<number> | undefined;
    await store.db.transaction(async (tx) => {
      await assertFence(tx, tenantId, old);
      beginning = beginDrain(store.db, tenantId, 'w2').finally(() => order.push('new drain'));
      await new Promise((resolve) => setTimeout(resolve, 100));
      order.push('old write');
    });
    const fence = await beginning;
    expect(order).toEqual(['old write', 'new drain']);
    expect(fence).toBe(old + 1);
    await expect(store.db.transaction((tx) => assertFence(tx, tenantId, old))).rejects.toThrow(StaleDrainError);
  });
});
