import { expect, it } from 'vitest';
import { extractDeps } from '../../../src/activities/drain/ledger.ts';
import { beginDrain, StaleDrainError } from '../../../src/store/drains.ts';
import { spreadMerges } from '../../../src/store/ledger/merges.ts';
import { takeIn } from '../../../src/store/ledger/take-in.ts';
import { waitingEvents } from '../../../src/store/ledger/waiting.ts';
import { removeTenant } from '../../../src/store/removal.ts';
import { countsBothWays, event } from '../../support/store/samples.ts';
import { describeStore } from '../../support/store/store-suite.ts';

/** CUSTOMER/MERGED: customer A is B now. */
const merged = (eventId: string, conversationId: string | null = null) =>
  event(eventId, null, undefined, {
    type: 'CUSTOMER/MERGED',
    state: 'ignored',
    reason: 'customer_merged',
    merge: { customerId: 'A', conversationId },
  });

describeStore('merges of customers', (store) => {
  /** Conversations c0001 ..., of customer A but for each fifth. */
  const fill = async (tenantId: string, count: number): Promise<void> => {
    await store.db.query(
      `INSERT INTO conversations (tenant_id, conversation_id, customer_id, item_count, limited, feed_seq, raw, digest)
       SELECT $1, 'c' || lpad(n::text, 4, '0'), CASE WHEN n % 5 = 0 THEN 'C' ELSE 'A' END, 0, false, n, '{}', 'digest'
       FROM generate_series(1, $2) AS n`,
      [tenantId, count],
    );
  };
  const derived = async (tenantId: string): Promise<string[]> => {
    const { rows } = await store.db.query<{ id: string }>(
      `SELECT conversation_id AS id FROM events WHERE tenant_id = $1 AND way = 'merged' AND state = 'waiting' ORDER BY 1`,
      [tenantId],
    );
    return rows.map(({ id }) => id);
  };
  const open = async (tenantId: string): Promise<number> =>
    (await store.db.query('SELECT FROM customer_merges WHERE tenant_id = $1', [tenantId])).rows.length;

  it('has every conversation of the customer read anew, in steps, and each once however often it is told', async () => {
    const tenantId = await store.tenant();
    const fence = await beginDrain(store.db, tenantId, 'worker-1');
    await fill(tenantId, 600);
    await takeIn(store.db, tenantId, [merged('m1'), merged('m1')]);
    await takeIn(store.db, tenantId, [merged('m1')]);
    expect(await derived(tenantId)).toEqual([]);

    const steps = [];
    while ((await open(tenantId)) > 0) {
      await spreadMerges(store.db, tenantId, fence);
      steps.push((await derived(tenantId)).length);
    }
    expect(steps).toEqual([200, 400, 480]);
    await takeIn(store.db, tenantId, [merged('m1')]);
    await spreadMerges(store.db, tenantId, fence);
    expect(await derived(tenantId)).toHaveLength(480);
    const { kept, counted } = await countsBothWays(store.db, tenantId);
    expect(kept).toEqual(counted);
    expect(kept).toMatchObject({ waiting: 480, ignored: 1 });
  });

  it('also those that only wait, and the one that the event names', async () => {
    const tenantId = await store.tenant();
    const fence = await beginDrain(store.db, tenantId, 'worker-1');
    await fill(tenantId, 1);
    await takeIn(store.db, tenantId, [
      event('e1', 'w1', undefined, { customerId: 'A' }),
      event('e2', 'w2', undefined, { customerId: 'B' }),
      merged('m1', 'named'),
    ]);
    await spreadMerges(store.db, tenantId, fence);
    expect(await derived(tenantId)).toEqual(['c0001', 'named', 'w1']);
    const events = (await waitingEvents(store.db, tenantId, ['w1'])).get('w1');
    expect(events?.map(({ formerCustomerId }) => formerCustomerId).sort()).toEqual(['A', null]);
  });

  it('a merge that came when all else was done is not parked with', async () => {
    const tenantId = await store.tenant();
    const fence = await beginDrain(store.db, tenantId, 'worker-1');
    await fill(tenantId, 1);
    const limits = {
      budgetMs: 1,
      crowdedBudgetMs: 1,
      parkAfterMs: 1,
      receiveWaitSeconds: 1,
      settleMs: 1_000,
      settleMaxMs: 1_000,
      patienceMs: 1,
    };
    const { nextDueMs } = extractDeps({ db: store.db, tenantId, fence }, limits);
    expect(await nextDueMs(new Set())).toBeNull();
    await takeIn(store.db, tenantId, [merged('m1')]);
    expect(await nextDueMs(new Set())).toBeGreaterThan(0);
  });

  it('nothing by a drain that has a successor, and nothing is left of a tenant that is removed', async () => {
    const tenantId = await store.tenant();
    const fence = await beginDrain(store.db, tenantId, 'worker-1');
    await beginDrain(store.db, tenantId, 'worker-2');
    await fill(tenantId, 1);
    await takeIn(store.db, tenantId, [merged('m1')]);
    await expect(spreadMerges(store.db, tenantId, fence)).rejects.toThrow(StaleDrainError);
    await removeTenant(store.db, tenantId);
    expect(await open(tenantId)).toBe(0);
  });
});
