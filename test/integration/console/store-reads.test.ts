import { expect, it } from 'vitest';
import { beginDrain, noteDrains, quotasOf } from '../../../src/store/drains.ts';
import { pendingConversations } from '../../../src/store/ledger/counters.ts';
import { takeIn } from '../../../src/store/ledger/take-in.ts';
import { addMeasurements, measuredSteps, recentOf } from '../../../src/store/measurements.ts';
import { at, event } from '../../support/store/samples.ts';
import { describeStore } from '../../support/store/store-suite.ts';

describeStore('what the console reads', (store) => {
  it('adds up the last hour of many tenants, freshness over all of it', async () => {
    const [one, other, silent] = [await store.tenant(), await store.tenant(), await store.tenant()];
    await addMeasurements(store.db, [
      { tenantId: one, at: at(-120), accepted: 100, extracted: 100 },
      { tenantId: one, at: at(0), accepted: 3, extracted: 1, freshnessMs: [100] },
      { tenantId: one, at: at(60), accepted: 2, extracted: 3, freshnessMs: [60_000, 60_000, 60_000] },
      { tenantId: other, at: at(60), accepted: 1 },
    ]);
    const found = await recentOf(store.db, [one, other, silent], at(0));
    expect(found.get(one)).toMatchObject({ accepted: 5, extracted: 4 });
    expect(found.get(one)?.freshnessP50Ms).toBeGreaterThanOrEqual(60_000);
    expect(found.get(other)).toEqual({ accepted: 1, extracted: 0, freshnessP50Ms: null });
    expect(found.has(silent)).toBe(false);
  });

  it('folds minutes into steps; of what waits the newest counts', async () => {
    const tenantId = await store.tenant();
    await addMeasurements(store.db, [
      { tenantId, at: at(0), accepted: 1, waiting: 9 },
      { tenantId, at: at(60), accepted: 2, extracted: 2, freshnessMs: [1_000, 1_000] },
      { tenantId, at: at(600), extracted: 7 },
    ]);
    const steps = await measuredSteps(store.db, tenantId, { since: at(0), stepMs: 600_000 });
    expect(steps).toMatchObject([
      { at: at(0), accepted: 3, extracted: 2, waiting: 9 },
      { at: at(600), accepted: 0, extracted: 7, waiting: null, freshnessP50Ms: null },
    ]);
    expect(steps[0]?.freshnessP99Ms).toBeGreaterThanOrEqual(1_000);
    expect(await measuredSteps(store.db, tenantId, { since: at(601), stepMs: 600_000 })).toEqual([]);
  });

  it('counts the conversations that are to be read', async () => {
    const tenantId = await store.tenant();
    expect(await pendingConversations(store.db, tenantId)).toEqual({ conversations: 0, inLedger: 0 });
    await takeIn(store.db, tenantId, [event('a', 'c1'), event('b', 'c1'), event('c', 'c2')]);
    expect(await pendingConversations(store.db, tenantId)).toEqual({ conversations: 2, inLedger: 3 });
    // One that fails again and again has no turn that could be foretold.
    await store.db.query(
      "UPDATE pending_conversations SET attempts = 3 WHERE tenant_id = $1 AND conversation_id = 'c1'",
      [tenantId],
    );
    expect(await pendingConversations(store.db, tenantId)).toEqual({ conversations: 1, inLedger: 1 });
  });

  it('keeps the quota that the newest drain saw, and of no other', async () => {
    const [tenantId, silent] = [await store.tenant(), await store.tenant()];
    const quota = { limit: 10, allowed: null, used: 4, rivals: 1.5, at: at(0) };
    const stale = await beginDrain(store.db, tenantId, 'one');
    const fence = await beginDrain(store.db, tenantId, 'other');
    const view = { tenantId, problemCode: 'none', lastActivityAt: at(0), queueEmptyAt: null };
    expect(await noteDrains(store.db, [{ ...view, fence, quota }])).toEqual([]);
    expect(await noteDrains(store.db, [{ ...view, fence: stale, quota: { ...quota, used: 9 } }])).toEqual([tenantId]);
    await noteDrains(store.db, [{ ...view, fence, quota: null }]);
    expect(await quotasOf(store.db, [tenantId, silent])).toEqual(new Map([[tenantId, quota]]));
  });
});
