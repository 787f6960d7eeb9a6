import { expect, it } from 'vitest';
import {
  beginDrain,
  clearParked,
  clearParkedOf,
  drainStates,
  markParked,
  noteDrain,
  StaleDrainError,
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
      problemCode: 'gladly_unavailable',
      lastActivityAt: at(2),
      queueEmptyAt: null,
      quota: null,
    };
    await expect(markParked(store.db, tenantId, stale)).rejects.toThrow(StaleDrainError);
    await expect(noteDrain(store.db, tenantId, stale, view)).rejects.toThrow(StaleDrainError);
    await noteDrain(store.db, tenantId, fence, view);
    const states = await drainStates(store.db, [tenantId, 'nobody']);
    expect([...states.keys()]).toEqual([tenantId]);
    expect(states.get(tenantId)).toMatchObject({ queueEmptyAt: null, fence, holder: 'w2', parkedAt: null });
  });
});
