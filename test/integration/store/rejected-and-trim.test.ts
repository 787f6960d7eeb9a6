import { expect, it } from 'vitest';
import { eventCounts } from '../../../src/store/ledger/counters.ts';
import { discardRejected, rejectedEvents, restoreRejected } from '../../../src/store/ledger/rejected.ts';
import { reschedule } from '../../../src/store/ledger/reschedule.ts';
import { selectDue } from '../../../src/store/ledger/select-due.ts';
import { takeIn } from '../../../src/store/ledger/take-in.ts';
import { trimEvents } from '../../../src/store/ledger/trim.ts';
import { waitingEvents } from '../../../src/store/ledger/waiting.ts';
import { vacuum } from '../../../src/store/maintenance.ts';
import { readAnew as read } from '../../../src/tenants/queued-event.ts';
import { at, countsBothWays, event, settleEvents, withRule } from '../../support/store/samples.ts';
import { describeStore } from '../../support/store/store-suite.ts';

const LONG_AFTER = new Date('2100-01-01T00:00:00Z');

describeStore('rejected events', (store) => {
  async function withRejected(count: number): Promise<string> {
    const tenantId = await store.tenant();
    const rows = Array.from({ length: count }, (_, n) => event(`e${String(n).padStart(4, '0')}`, `c${n % 5}`, at(n)));
    await takeIn(store.db, tenantId, [
      ...rows,
      event('no-json', null, at(0), { state: 'rejected', reason: 'not_json' }),
    ]);
    await store.db.transaction((tx) =>
      settleEvents(
        tx,
        tenantId,
        rows.map(({ eventId }) => ({ eventId, state: 'rejected' as const, reason: 'poison' })),
      ),
    );
    return tenantId;
  }

  it('counts in a dry run, and changes nothing', async () => {
    const tenantId = await withRejected(3);
    expect(await restoreRejected(store.db, tenantId, { read, dryRun: true })).toMatchObject({
      restored: 3,
      unusable: 1,
    });
    expect(
      await restoreRejected(store.db, tenantId, { read, dryRun: true, eventIds: ['e0001', 'no-json', 'unknown'] }),
    ).toMatchObject({ restored: 1, unusable: 1 });
    expect(await eventCounts(store.db, tenantId)).toMatchObject({ waiting: 0, rejected: 4 });
  });

  it('brings back all, in steps, with a fresh count', async () => {
    const tenantId = await withRejected(1_203);
    expect(await restoreRejected(store.db, tenantId, { read, dryRun: false })).toMatchObject({
      restored: 1_203,
      unusable: 1,
    });
    const { kept, counted } = await countsBothWays(store.db, tenantId);
    expect(kept).toEqual(counted);
    expect(kept).toMatchObject({ waiting: 1_203, rejected: 1, pending: 5 });
    expect(await restoreRejected(store.db, tenantId, { read, dryRun: false })).toMatchObject({
      restored: 0,
      unusable: 1,
    });
  });

  /** Events as an older release set them aside, because it could not read what today's code can. */
  async function setAside(bodies: Readonly<Record<string, string>>): Promise<string> {
    const tenantId = await store.tenant();
    const rows = Object.entries(bodies).map(([id, body]) =>
      event(id, null, at(0), { state: 'rejected', reason: 'not_json', type: null, body }),
    );
    await takeIn(store.db, tenantId, rows);
    return tenantId;
  }
  const closed = (id: string, conversationId: string): string =>
    JSON.stringify({ id, type: 'CONVERSATION/CLOSED', timestamp: '2026-01-05T09:00:00Z', content: { conversationId } });

  it('reads bodies anew: what can be read now waits under its own id, what is there already is not written twice', async () => {
    const tenantId = await setAside({
      'sha256:1': closed('a', 'c1'),
      'sha256:2': closed('known', 'c2'),
      'sha256:3': 'still no json',
      'sha256:4': '{"type":"PING"}',
      'sha256:5': `{"v":1,"at":1,"key":"k","json":${closed('in-an-envelope', 'c3')}}`,
    });
    await takeIn(store.db, tenantId, [event('known', 'c2')]);
    expect(await restoreRejected(store.db, tenantId, { read, dryRun: true })).toMatchObject({
      restored: 3,
      unusable: 1,
    });
    expect(await eventCounts(store.db, tenantId)).toMatchObject({ waiting: 1, rejected: 5 });
    expect(await restoreRejected(store.db, tenantId, { read, dryRun: false })).toMatchObject({
      restored: 3,
      unusable: 1,
    });
    const { kept, counted } = await countsBothWays(store.db, tenantId);
    expect(kept).toEqual(counted);
    expect(kept).toMatchObject({ waiting: 3, rejected: 1, pending: 3 });
    expect([...(await waitingEvents(store.db, tenantId, ['c1', 'c2', 'c3'])).values()].flat()).toMatchObject([
      { eventId: 'a', type: 'CONVERSATION/CLOSED', receivedAt: at(0) },
      { eventId: 'known' },
      { eventId: 'in-an-envelope' },
    ]);
    expect(await rejectedEvents(store.db, tenantId, { limit: 5 })).toMatchObject([{ eventId: 'sha256:3' }]);
    expect(await restoreRejected(store.db, tenantId, { read, dryRun: false })).toMatchObject({
      restored: 0,
      unusable: 1,
    });
  });

  it('reads more bodies anew than one page of them, and leaves those that Postgres refuses still', async () => {
    const ids = Array.from({ length: 60 }, (_, n) => `e${n}`);
    const tenantId = await setAside(Object.fromEntries(ids.map((id) => [`sha256:${id}`, closed(id, `c-${id}`)])));
    await withRule(store.db, 'events', `event_id <> 'e7'`, async () => {
      expect(await restoreRejected(store.db, tenantId, { read, dryRun: false })).toMatchObject({
        restored: 59,
        unusable: 1,
      });
    });
    const { kept, counted } = await countsBothWays(store.db, tenantId);
    expect(kept).toEqual(counted);
    expect(kept).toMatchObject({ waiting: 59, rejected: 1 });
  });

  it('are discarded by somebody who has looked, all or by id, and can be brought back with what is gone', async () => {
    const tenantId = await withRejected(602);
    expect(await discardRejected(store.db, tenantId, { eventIds: ['e0001', 'unknown'] })).toBe(1);
    expect(await discardRejected(store.db, tenantId, {})).toBe(602);
    const { kept, counted } = await countsBothWays(store.db, tenantId);
    expect(kept).toEqual(counted);
    expect(kept).toMatchObject({ waiting: 0, rejected: 0, ignored: 603 });
    expect(await restoreRejected(store.db, tenantId, { read, dryRun: false })).toMatchObject({
      restored: 0,
      restoredGone: 0,
    });
    const both = { read, gone: true } as const;
    expect(await restoreRejected(store.db, tenantId, { ...both, dryRun: true })).toMatchObject({ restoredGone: 602 });
    expect(await restoreRejected(store.db, tenantId, { ...both, dryRun: false, eventIds: ['e0002'] })).toMatchObject({
      restoredGone: 1,
    });
    expect(await restoreRejected(store.db, tenantId, { ...both, dryRun: false })).toMatchObject({ restoredGone: 601 });
    const after = await countsBothWays(store.db, tenantId);
    expect(after.kept).toEqual(after.counted);
    expect(after.kept).toMatchObject({ waiting: 602, ignored: 1 });
    expect(await trimEvents(store.db, { olderThan: LONG_AFTER, limit: 100 })).toBe(1);
    expect((await countsBothWays(store.db, tenantId)).kept).toMatchObject({ waiting: 602, ignored: 0 });
    const [waiting] = (await waitingEvents(store.db, tenantId, ['c1'])).get('c1') ?? [];
    // With all the patience of a new one.
    expect(waiting?.missingMs).toBeNull();
  });

  it('brings back some by id, at once even where their conversation was put off', async () => {
    const tenantId = await withRejected(10);
    await takeIn(store.db, tenantId, [event('new', 'c1', at(50))]);
    await store.db.transaction((tx) =>
      reschedule(tx, tenantId, [{ conversationId: 'c1', inMs: 86_400_000, reason: 'x', eventIds: ['new'] }]),
    );
    expect(await restoreRejected(store.db, tenantId, { read, dryRun: false, eventIds: ['e0001'] })).toMatchObject({
      restored: 1,
      unusable: 0,
    });
    const options = { settleMs: 0, settleMaxMs: 0, limit: 10, newestShare: 0 };
    expect(await selectDue(store.db, tenantId, options)).toMatchObject([
      { conversationId: 'c1', waiting: 2, attempts: 0 },
    ]);
    expect((await waitingEvents(store.db, tenantId, ['c1'])).get('c1')).toMatchObject([
      { eventId: 'e0001', attempts: 0 },
      { eventId: 'new' },
    ]);
  });

  it('lists them in pages, with the reason', async () => {
    const tenantId = await withRejected(3);
    const first = await rejectedEvents(store.db, tenantId, { limit: 2 });
    const rest = await rejectedEvents(store.db, tenantId, { limit: 2, after: first.at(-1)?.eventId ?? '' });
    expect([...first, ...rest].map(({ eventId, reason, conversationId }) => [eventId, reason, conversationId])).toEqual(
      [
        ['e0000', 'poison', 'c0'],
        ['e0001', 'poison', 'c1'],
        ['e0002', 'poison', 'c2'],
        ['no-json', 'not_json', null],
      ],
    );
    expect(first[0]?.rejectedAt).toBeInstanceOf(Date);
  });

  it('settles an event once', async () => {
    const tenantId = await store.tenant();
    await takeIn(store.db, tenantId, [event('e1', 'c1')]);
    const settle = (state: 'extracted' | 'gone') =>
      store.db.transaction((tx) =>
        settleEvents(tx, tenantId, [
          { eventId: 'e1', state },
          { eventId: 'unknown', state },
        ]),
      );
    expect(await settle('gone')).toEqual({ extracted: 0, gone: 1, rejected: 0 });
    expect(await settle('extracted')).toEqual({ extracted: 0, gone: 0, rejected: 0 });
  });
});

describeStore('trimEvents', (store) => {
  it('removes what is done, in steps, and never what waits or was rejected', async () => {
    const tenantIds = [await store.tenant(), await store.tenant()];
    for (const tenantId of tenantIds) {
      await takeIn(
        store.db,
        tenantId,
        ['e1', 'e2', 'e3', 'e4'].map((id) => event(id, `c-${id}`)),
      );
      await store.db.transaction((tx) =>
        settleEvents(tx, tenantId, [
          { eventId: 'e1', state: 'extracted' },
          { eventId: 'e2', state: 'gone', reason: 'conversation_not_found' },
          { eventId: 'e3', state: 'rejected', reason: 'poison' },
        ]),
      );
    }
    expect(await trimEvents(store.db, { olderThan: at(0), limit: 100 })).toBe(0);
    const removed = [];
    for (let n = 0; n < 3; n += 1) removed.push(await trimEvents(store.db, { olderThan: LONG_AFTER, limit: 3 }));
    expect(removed).toEqual([3, 1, 0]);
    for (const tenantId of tenantIds) {
      expect(await eventCounts(store.db, tenantId)).toMatchObject({
        waiting: 1,
        extracted: 0,
        gone: 0,
        rejected: 1,
        trimmed: 2,
      });
      const { kept, counted } = await countsBothWays(store.db, tenantId);
      expect(kept).toEqual(counted);
    }
  });

  it('removes ignored events too, as old as what is done, and counts them apart', async () => {
    const tenantId = await store.tenant();
    const ignored = { state: 'ignored', reason: 'not_about_a_conversation' } as const;
    expect(
      await takeIn(
        store.db,
        tenantId,
        ['i1', 'i2', 'i3'].map((id) => event(id, null, at(0), ignored)),
      ),
    ).toEqual({ inserted: 3, duplicates: 0, conversations: 0 });
    expect(await eventCounts(store.db, tenantId)).toMatchObject({ waiting: 0, rejected: 0, ignored: 3 });
    expect(await trimEvents(store.db, { olderThan: at(0), limit: 100 })).toBe(0);
    expect(await trimEvents(store.db, { olderThan: LONG_AFTER, limit: 2 })).toBe(2);
    expect(await eventCounts(store.db, tenantId)).toMatchObject({ ignored: 1, trimmed: 0 });
    expect(await trimEvents(store.db, { olderThan: LONG_AFTER, limit: 2 })).toBe(1);
    const { kept, counted } = await countsBothWays(store.db, tenantId);
    expect(kept).toEqual(counted);
  });

  it('vacuums without a word', async () => {
    await expect(vacuum(store.db)).resolves.toBeUndefined();
  });
});
