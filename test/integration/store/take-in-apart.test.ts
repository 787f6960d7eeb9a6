import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { assertFence, beginDrain, StaleDrainError } from '../../../src/store/drains.ts';
import { rejectedEvents } from '../../../src/store/ledger/rejected.ts';
import { takeInApart } from '../../../src/store/ledger/take-in-apart.ts';
import { at, countsBothWays, event, withRule } from '../../support/store/samples.ts';
import { describeStore } from '../../support/store/store-suite.ts';

describeStore('takeInApart', (store) => {
  const rejected = (tenantId: string) => rejectedEvents(store.db, tenantId, { limit: 10 });

  it('keeps an event whose time of receipt no clock can have', async () => {
    const tenantId = await store.tenant();
    const far = [new Date(Number.NaN), new Date(8.64e15), new Date(-8.64e15)];
    const rows = far.map((receivedAt, n) => event(`e${n}`, 'c1', receivedAt, { eventAt: at(0) }));
    expect(await takeInApart(store.db, tenantId, [event('good', 'c2'), ...rows])).toMatchObject({
      inserted: 4,
      refused: [],
    });
    const { rows: kept } = await store.db.query<{ ahead: number }>(
      'SELECT count(*) FILTER (WHERE received_at > taken_at) AS ahead FROM events WHERE tenant_id = $1',
      [tenantId],
    );
    expect(kept).toEqual([{ ahead: 0 }]);
  });

  it.each([
    ['a rule of the table (23514)', '23514', (n: number) => event(n === 6 ? 'poison' : `e${n}`, 'c1')],
    // Random text is not compressed, and Postgres takes no more than 2,704 bytes into an index.
    [
      'too large for an index (54000)',
      '54000',
      (n: number) => event(n === 6 ? randomBytes(6_000).toString('base64') : `e${n}`, 'c1'),
    ],
    ['a character of no text (22021)', '22021', (n: number) => event(`e${n}`, n === 6 ? 'c\0' : 'c1')],
  ])('sets aside alone what Postgres refuses: %s', async (_, code, rowOf) => {
    const tenantId = await store.tenant();
    const rows = Array.from({ length: 10 }, (_, n) => rowOf(n));
    const taking = () =>
      withRule(store.db, 'events', `event_id <> 'poison'`, () => takeInApart(store.db, tenantId, rows));
    expect(await taking()).toEqual({ inserted: 10, duplicates: 0, refused: [] });
    expect(await rejected(tenantId)).toMatchObject([{ reason: `store_refused_${code}`, conversationId: null }]);
    const { kept, counted } = await countsBothWays(store.db, tenantId);
    expect(kept).toEqual(counted);
    expect(kept).toMatchObject({ waiting: 9, rejected: 1 });
    // Received again, it is the same one.
    expect(await taking()).toMatchObject({ inserted: 0 });
  });

  it('names the rows that cannot be kept in any form, as they were given', async () => {
    const tenantId = await store.tenant();
    const rows = Array.from({ length: 9 }, (_, n) =>
      event(`e${n}`, 'c1', at(n), n % 4 === 0 ? { body: 'poison' } : {}),
    );
    const { inserted, refused } = await withRule(store.db, 'events', `body <> 'poison'::bytea`, () =>
      takeInApart(store.db, tenantId, rows),
    );
    expect(inserted).toBe(6);
    expect(refused).toEqual([rows[0], rows[4], rows[8]]);
  });

  it('writes nothing after another drain has begun', async () => {
    const tenantId = await store.tenant();
    const fence = await beginDrain(store.db, tenantId, 'w1');
    await beginDrain(store.db, tenantId, 'w2');
    const stale = takeInApart(store.db, tenantId, [event('e1', 'c1')], (tx) => assertFence(tx, tenantId, fence));
    await expect(stale).rejects.toThrow(StaleDrainError);
  });
});
