import { expect, it } from 'vitest';
import { UnknownTenantError } from '../../../src/store/errors.ts';
import { eventCounts } from '../../../src/store/ledger/counters.ts';
import { takeIn } from '../../../src/store/ledger/take-in.ts';
import { waitingEvents } from '../../../src/store/ledger/waiting.ts';
import { at, countsBothWays, event } from '../../support/store/samples.ts';
import { describeStore } from '../../support/store/store-suite.ts';

describeStore('takeIn', (store) => {
  it('writes each event once, whether it comes again in the same rows or later', async () => {
    const tenantId = await store.tenant();
    const first = await takeIn(store.db, tenantId, [
      event('e1', 'c1'),
      event('e2', 'c1'),
      event('e1', 'c1'),
      event('e3', 'c2'),
    ]);
    const second = await takeIn(store.db, tenantId, [event('e3', 'c2'), event('e4', 'c2')]);

    expect(first).toEqual({ inserted: 3, duplicates: 1, conversations: 2 });
    expect(second).toEqual({ inserted: 1, duplicates: 1, conversations: 1 });
    const { kept, counted } = await countsBothWays(store.db, tenantId);
    expect(kept).toEqual(counted);
    expect(kept).toMatchObject({ waiting: 4, pending: 2 });
  });

  it('takes in nothing from an empty list, and counts nothing for duplicates alone', async () => {
    const tenantId = await store.tenant();
    expect(await takeIn(store.db, tenantId, [])).toEqual({ inserted: 0, duplicates: 0, conversations: 0 });
    await takeIn(store.db, tenantId, [event('e1', 'c1')]);
    expect(await takeIn(store.db, tenantId, [event('e1', 'c1')])).toEqual({
      inserted: 0,
      duplicates: 1,
      conversations: 0,
    });
    expect(await eventCounts(store.db, tenantId)).toMatchObject({ waiting: 1 });
  });

  it('sets aside what cannot be extracted, with the reason and the very bytes', async () => {
    const tenantId = await store.tenant();
    const bytes = Uint8Array.from([0xff, 0x00, 0xfe, 0x22]);
    const rejected = { state: 'rejected', reason: 'not_json', type: null, body: bytes, way: 'direct' } as const;
    await takeIn(store.db, tenantId, [
      event('x1', null, at(0), rejected),
      event('e1', 'c1', at(0), { body: '{"a":"\\u0000"}' }),
    ]);

    const { rows } = await store.db.query(
      'SELECT event_id, body, state, reason, way FROM events WHERE tenant_id = $1 ORDER BY event_id',
      [tenantId],
    );
    expect(rows).toEqual([
      { event_id: 'e1', body: Buffer.from('{"a":"\\u0000"}'), state: 'waiting', reason: null, way: 'queue' },
      { event_id: 'x1', body: Buffer.from(bytes), state: 'rejected', reason: 'not_json', way: 'direct' },
    ]);
    const { kept, counted } = await countsBothWays(store.db, tenantId);
    expect(kept).toEqual(counted);
  });

  it('keeps a time of Gladly to the microsecond, and does without one that is none', async () => {
    const tenantId = await store.tenant();
    await takeIn(store.db, tenantId, [
      event('e1', 'c1', at(0), { eventAt: '2026-01-05T09:00:00.123456789Z' }),
      event('e2', 'c1', at(0), { eventAt: '+099999-01-01T00:00:00Z' }),
      event('e3', 'c1', at(0), { eventAt: '2026-01-05T11:00:00.1+02:00' }),
    ]);
    const { rows } = await store.db.query<{ at: string }>(
      `SELECT to_char(event_at AT TIME ZONE 'UTC', 'HH24:MI:SS.US') AS at FROM events WHERE tenant_id = $1 ORDER BY event_id`,
      [tenantId],
    );
    expect(rows.map((row) => row.at)).toEqual(['09:00:00.123456', null, '09:00:00.100000']);
  });

  it('writes nothing for a tenant that does not exist', async () => {
    await expect(takeIn(store.db, 'nobody', [event('e1', 'c1')])).rejects.toThrow(UnknownTenantError);
    const { rows } = await store.db.query(`SELECT FROM events WHERE tenant_id = 'nobody'`);
    expect(rows).toEqual([]);
  });

  it('stays right when many take in the same events at once', async () => {
    const tenantId = await store.tenant();
    const rows = Array.from({ length: 120 }, (_, n) => event(`e${n}`, `c${n % 7}`, at(n)));
    const batches = Array.from({ length: 12 }, (_, n) =>
      [...rows.slice(n * 10), ...rows.slice(0, n * 10)].slice(0, 60),
    );
    const taken = await Promise.all(batches.map((batch) => takeIn(store.db, tenantId, batch)));

    expect(taken.reduce((sum, { inserted }) => sum + inserted, 0)).toBe(120);
    const { kept, counted } = await countsBothWays(store.db, tenantId);
    expect(kept).toEqual(counted);
    const waiting = await waitingEvents(store.db, tenantId, ['c0', 'c1', 'nothing']);
    expect([...waiting.keys()].sort()).toEqual(['c0', 'c1']);
    expect(
      waiting
        .get('c1')
        ?.map(({ eventId }) => eventId)
        .slice(0, 3),
    ).toEqual(['e1', 'e8', 'e15']);
  });

  it('keeps what is not about a conversation as ignored, done as soon as it is there', async () => {
    const tenantId = await store.tenant();
    const agent = event('a1', null, at(0), { state: 'ignored', reason: 'not_about_a_conversation' });
    expect(await takeIn(store.db, tenantId, [agent, event('e1', 'c1')])).toMatchObject({ inserted: 2 });
    expect(await takeIn(store.db, tenantId, [agent])).toMatchObject({ inserted: 0 });
    const { kept, counted } = await countsBothWays(store.db, tenantId);
    expect(kept).toEqual(counted);
    expect(kept).toMatchObject({ waiting: 1, rejected: 0, ignored: 1 });
    const { rows } = await store.db.query('SELECT done_at = taken_at AS done FROM events WHERE event_id = $1', ['a1']);
    expect(rows).toEqual([{ done: true }]);
  });
});
