import { expect, it } from 'vitest';
import { writeConversations } from '../../../src/store/conversations/write.ts';
import type { Db, Param, Tx } from '../../../src/store/db.ts';
import { beginDrain } from '../../../src/store/drains.ts';
import { readFeed } from '../../../src/store/feed.ts';
import { eventCounts } from '../../../src/store/ledger/counters.ts';
import { reschedule } from '../../../src/store/ledger/reschedule.ts';
import { nextDueMs, selectDue } from '../../../src/store/ledger/select-due.ts';
import { takeIn } from '../../../src/store/ledger/take-in.ts';
import { trimEvents } from '../../../src/store/ledger/trim.ts';
import { waitingEvents } from '../../../src/store/ledger/waiting.ts';
import { exchangeQuotaClaims } from '../../../src/store/quota-claims.ts';
import { putKeysSeen } from '../../../src/store/tenant-states.ts';
import { at, event, reading, write } from '../../support/store/samples.ts';
import { describeStore } from '../../support/store/store-suite.ts';

/** Enough that a plan which reads them all is seen, without statistics of any kind. */
const WAITING = 20_000;
const BATCH = 500;

interface Reads {
  readonly sql: string;
  /** The most rows that one step of the plan read. */
  readonly rows: number;
}

/** A store that says, before it runs a statement, how many rows its plan reads. What EXPLAIN ANALYZE changes is taken back. */
function watched(db: Db, reads: Reads[]): Db {
  const watch = (tx: Tx): Tx => ({
    inTransaction: true,
    async query<Row extends object>(sql: string, params: readonly Param[] = []) {
      await tx.query('SAVEPOINT before');
      const { rows } = await tx.query<{ 'QUERY PLAN': string }>(`EXPLAIN ANALYZE ${sql}`, params);
      await tx.query('ROLLBACK TO before');
      const actual = rows.flatMap((row) => /actual.* rows=(\d+)/.exec(row['QUERY PLAN'])?.[1] ?? []).map(Number);
      const removed = rows.flatMap((row) => /Rows Removed.*: (\d+)/.exec(row['QUERY PLAN'])?.[1] ?? []).map(Number);
      reads.push({ sql, rows: Math.max(...actual, ...removed) });
      return await tx.query<Row>(sql, params);
    },
  });
  return {
    query: (sql, params) => db.transaction((tx) => watch(tx).query(sql, params)),
    transaction: (fn, options) => db.transaction((tx) => fn(watch(tx)), options),
    close: () => db.close(),
  };
}

describeStore(`with ${WAITING} waiting events, no statement of the hot paths`, (store) => {
  it('reads more than it needs', async () => {
    const tenantId = await store.tenant();
    const fence = await beginDrain(store.db, tenantId, 'w');
    for (let n = 0; n < WAITING; n += BATCH) {
      await takeIn(
        store.db,
        tenantId,
        Array.from({ length: BATCH }, (_, m) => event(`e${n + m}`, `c${n + m}`, at(n + m))),
        { now: at(n) },
      );
    }
    const reads: Reads[] = [];
    const db = watched(store.db, reads);
    const due = { now: at(WAITING), settleMs: 1_000, settleMaxMs: 10_000 };

    await takeIn(
      db,
      tenantId,
      Array.from({ length: 50 }, (_, n) => event(`more-${n}`, `c${n}`, at(WAITING))),
      { now: at(WAITING) },
    );
    const picked = await selectDue(db, tenantId, { ...due, limit: 50, newestShare: 0.2 });
    const ids = picked.map(({ conversationId }) => conversationId);
    const events = await waitingEvents(db, tenantId, ids);
    const writes = ids.map((id) =>
      write(id, {
        reading: reading('OPEN', [], at(0)),
        extracted: (events.get(id) ?? []).map(({ eventId }) => eventId),
      }),
    );
    const putOff = [{ conversationId: 'c15000', inMs: 0, reason: 'x', eventIds: ['e15000'] }];
    await db.transaction((tx) => reschedule(tx, tenantId, putOff));
    const written = await db.transaction((tx) => writeConversations(tx, tenantId, fence, writes));
    await readFeed(db, tenantId, 0, 10);
    await eventCounts(db, tenantId);
    await trimEvents(db, { olderThan: new Date('2100-01-01'), limit: 10 });
    await nextDueMs(db, tenantId, due);

    expect(written.changed).toBe(50);
    // nextDueMs looks at 1,000 at most.
    expect(reads.filter(({ rows }) => rows > 1_000)).toEqual([]);
    expect(reads.length).toBeGreaterThan(15);
  });
});

describeStore('with 5,000 tenants', (store) => {
  it('noting which keys were seen, every second, reads the tenants that were, and no other', async () => {
    await store.db.query(
      `INSERT INTO tenants (tenant_id, name, state, retention_days)
       SELECT 'many-' || n, 'Many', 'connected', 4 FROM generate_series(1, 5000) n`,
    );
    await store.db.query(`INSERT INTO tenant_states (tenant_id, need) SELECT tenant_id, 4 FROM tenants`);
    // As autovacuum does within a minute: without statistics the planner takes every tenant for one whose key is refused.
    await store.db.query('ANALYZE tenant_states');
    const reads: Reads[] = [];
    const db = watched(store.db, reads);
    const seen = (n: number, wrongAt: Date | null) => ({ tenantId: `many-${n}`, rightAt: at(n), wrongAt });
    const some = Array.from({ length: 300 }, (_, n) => seen(n + 1, null));
    expect(await putKeysSeen(db, some)).toEqual([]);
    expect(await putKeysSeen(db, [seen(400, at(500)), ...some])).toEqual([{ tenantId: 'many-400', refused: true }]);
    expect(await putKeysSeen(db, [seen(400, null), seen(600, null)])).toEqual([]);
    expect(await putKeysSeen(db, [{ tenantId: 'many-400', rightAt: at(501), wrongAt: null }])).toEqual([
      { tenantId: 'many-400', refused: false },
    ]);
    expect(reads.filter(({ rows }) => rows > 1_000)).toEqual([]);
    // One each, and one more for a tenant whose key was wrong, each time it is seen.
    expect(reads).toHaveLength(7);
  });
});

describeStore('with 30,000 claims on the quota', (store) => {
  it('a worker that tells its own and hears of the others reads theirs only', async () => {
    await store.db.query(
      `INSERT INTO quota_claims (host, method, worker, seen_at, wants, claims, peak)
       SELECT 'org-' || n % 10000, 'GET', 'worker-' || n / 10000, now(), 7, 1, 2 FROM generate_series(0, 29999) n`,
    );
    const reads: Reads[] = [];
    const own = Array.from({ length: 200 }, (_, n) => ({
      host: `org-${n}`,
      method: 'GET',
      wants: 7,
      claims: 1,
      peak: 2,
    }));
    expect(await exchangeQuotaClaims(watched(store.db, reads), 'worker-0', own)).toHaveLength(400);
    expect(reads.filter(({ rows }) => rows > 1_000)).toEqual([]);
    expect(reads).toHaveLength(1);
  });
});
