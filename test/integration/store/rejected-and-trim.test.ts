import { expect, it } from 'vitest';
import { eventCounts } from '../../../src/store/ledger/counters.ts';
import { rejectedEvents, restoreRejected } from '../../../src/store/ledger/rejected.ts';
import { reschedule } from '../../../src/store/ledger/reschedule.ts';
import { selectDue } from '../../../src/store/ledger/select-due.ts';
import { takeIn } from '../../../src/store/ledger/take-in.ts';
import { trimEvents } from '../../../src/store/ledger/trim.ts';
import { waitingEvents } from '../../../src/store/ledger/waiting.ts';
import { vacuum } from '../../../src/store/maintenance.ts';
import { at, countsBothWays, event, settleEvents } from '../../support/store/samples.ts';
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
    expect(await restoreRejected(store.db, tenantId, { dryRun: true })).toEqual({ restored: 3, unusable: 1 });
    expect(
      await restoreRejected(store.db, tenantId, { dryRun: true, eventIds: ['e0001', 'no-json', 'unknown'] }),
    ).toEqual({ restored: 1, unusable: 1 });
    expect(await eventCounts(store.db, tenantId)).toMatchObject({ waiting: 0, rejected: 4 });
  });

  it('brings back all, in steps, with a fresh count', async () => {
    const tenantId = await withRejected(1_203);
    expect(await restoreRejected(store.db, tenantId, { dryRun: false })).toEqual({ restored: 1_203, unusable: 1 });
    const { kept, counted } = await countsBothWays(store.db, tenantId);
    expect(kept).toEqual(counted);
    expect(kept).toMatchObject({ waiting: 1_203, rejected: 1, pending: 5 });
    expect(await restoreRejected(store.db, tenantId, { dryRun: false })).toEqual({ restored: 0, unusable: 1 });
  });

  it('brings back some by id, at once even where their conversation was put off', async () => {
    const tenantId = await withRejected(10);
    await takeIn(store.db, tenantId, [event('new', 'c1', at(50))]);
    await store.db.transaction((tx) =>
      reschedule(tx, tenantId, [{ conversationId: 'c1', inMs: 86_400_000, reason: 'x', eventIds: ['new'] }]),
    );
    expect(await restoreRejected(store.db, tenantId, { dryRun: false, eventIds: ['e0001'] })).toEqual({
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

  it('vacuums without a word', async () => {
    await expect(vacuum(store.db)).resolves.toBeUndefined();
  });
});
