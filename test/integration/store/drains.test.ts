import { expect, it } from 'vitest';
import {
  beginDrain,
  clearParked,
  clearParkedOf,
  drainStates,
  leftByDrains,
  markParked,
  noteDrains,
  orderDrains,
  StaleDrainError,
  takeOrders,
} from '../../../src/store/drains.ts';
import { at } from '../../support/store/samples.ts';
import { describeStore } from '../../support/store/store-suite.ts';

describeStore('drains', (store) => {
  const parked = async (): Promise<string> => {
    const tenantId = await store.tenant();
    await markParked(store.db, tenantId, await beginDrain(store.db, tenantId, 'w1'));
    return tenantId;
  };

  it('lets exactly one of many callers clear the mark', async () => {
    const tenantId = await parked();
    const cleared = await Promise.all(Array.from({ length: 20 }, () => clearParked(store.db, tenantId)));
    expect(cleared.filter(Boolean)).toHaveLength(1);
    expect(await clearParked(store.db, tenantId)).toBe(false);
  });

  it('clears several at once, each for one caller only', async () => {
    const ids = [await parked(), await parked(), await store.tenant()];
    const [a = '', b = '', c = ''] = ids;
    const cleared = await Promise.all([clearParkedOf(store.db, [a, b, c]), clearParkedOf(store.db, [b, a])]);
    expect(cleared.flat().sort()).toEqual([a, b].sort());
  });

  it('is not parked any more when a drain begins', async () => {
    const tenantId = await parked();
    await beginDrain(store.db, tenantId, 'w2');
    expect(await clearParked(store.db, tenantId)).toBe(false);
  });

  it('lets a stale drain neither park nor say anything', async () => {
    const tenantId = await store.tenant();
    const stale = await beginDrain(store.db, tenantId, 'w1');
    const fence = await beginDrain(store.db, tenantId, 'w2');
    const view = {
      tenantId,
      problemCode: 'gladly_unavailable',
      lastActivityAt: at(2),
      queueEmptyAt: null,
      quota: null,
    };
    await expect(markParked(store.db, tenantId, stale)).rejects.toThrow(StaleDrainError);
    expect(await noteDrains(store.db, [{ ...view, fence: stale }])).toEqual([tenantId]);
    expect(await noteDrains(store.db, [{ ...view, fence }])).toEqual([]);
    const states = await drainStates(store.db, [tenantId, 'nobody']);
    expect([...states.keys()]).toEqual([tenantId]);
    expect(states.get(tenantId)).toMatchObject({ queueEmptyAt: null, fence, holder: 'w2', parkedAt: null });
  });

  it('passes an order on to the worker that has the drain, once', async () => {
    const [one, other, asleep] = [await store.tenant(), await store.tenant(), await store.tenant()];
    await beginDrain(store.db, one, 'w1');
    await beginDrain(store.db, other, 'w2');
    await orderDrains(store.db, [other, one, asleep], 'look');
    await orderDrains(store.db, [one], 'look');
    await orderDrains(store.db, [one], 'stop');
    expect([...(await takeOrders(store.db, 'w1'))].sort((a, b) => (a.what < b.what ? -1 : 1))).toEqual([
      { tenantId: one, what: 'look' },
      { tenantId: one, what: 'stop' },
    ]);
    expect(await takeOrders(store.db, 'w1')).toEqual([]);
    expect(await takeOrders(store.db, 'w2')).toEqual([{ tenantId: other, what: 'look' }]);
  });

  it('does not obey what was ordered of the drain before', async () => {
    const tenantId = await store.tenant();
    await beginDrain(store.db, tenantId, 'w1');
    await orderDrains(store.db, [tenantId], 'stop');
    await beginDrain(store.db, tenantId, 'w1');
    expect(await takeOrders(store.db, 'w1')).toEqual([]);
  });

  it('leaves to the next drain how often events come', async () => {
    const tenantId = await store.tenant();
    expect(await leftByDrains(store.db, tenantId)).toEqual({ troubledForMs: null, paceMs: null, sinceFoundMs: null });
    await markParked(store.db, tenantId, await beginDrain(store.db, tenantId, 'w1'), {
      paceMs: 1234.5,
      sinceFoundMs: 60_000,
    });
    const left = await leftByDrains(store.db, tenantId);
    expect(left.paceMs).toBe(1235);
    expect(Math.abs((left.sinceFoundMs ?? 0) - 60_000)).toBeLessThan(5_000);
    await markParked(store.db, tenantId, await beginDrain(store.db, tenantId, 'w1'), {
      paceMs: null,
      sinceFoundMs: null,
    });
    expect((await leftByDrains(store.db, tenantId)).paceMs).toBe(1235);
  });
});
