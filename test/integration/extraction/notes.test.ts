import { expect, it } from 'vitest';
import { Observer } from '../../../src/activities/drain/observer.ts';
import type { Db } from '../../../src/store/db.ts';
import { beginDrain, drainStates, troubledForMs } from '../../../src/store/drains.ts';
import { listDrift } from '../../../src/store/drift.ts';
import { readMeasurements } from '../../../src/store/measurements.ts';
import { at } from '../../support/store/samples.ts';
import { describeStore, type Store } from '../../support/store/store-suite.ts';

/** A store whose statements wait for `open`, or fail when it rejects. */
function gated(db: Db): Db & { open: Promise<void> } {
  const gate = {
    ...db,
    open: Promise.resolve(),
    query: async (...args: Parameters<Db['query']>) => {
      await gate.open;
      return db.query(...args);
    },
  };
  return gate as Db & { open: Promise<void> };
}

async function drainOf(store: Store) {
  const tenantId = await store.tenant();
  const db = gated(store.db);
  const fence = await beginDrain(store.db, tenantId, 'w1');
  const observer = new Observer({ db, tenantId, fence });
  const extracted = async (): Promise<number> => {
    const minutes = await readMeasurements(store.db, tenantId, { from: new Date(0), to: new Date('2100-01-01') });
    return minutes.reduce((sum, minute) => sum + minute.extracted, 0);
  };
  const drift = async () => (await listDrift(store.db, tenantId, 10)).map(({ what, count }) => [what, count]);
  return { tenantId, db, fence, observer, extracted, drift };
}

describeStore('the notes of a drain', (store) => {
  it('say what was seen, and add up what was counted', async () => {
    const { tenantId, observer, extracted, drift } = await drainOf(store);
    observer.stored(3, [10, 20, 30], ['conversation.new', 'conversation.new']);
    await observer.write(at(5), 'gladly_unavailable', null);
    observer.stored(2, [10, 20], ['conversation.new']);
    await observer.write(null, 'unknown', null);
    expect(await troubledForMs(store.db, tenantId)).toBeGreaterThanOrEqual(0);
    await observer.writeLast(null, 'none', null);
    expect(await extracted()).toBe(5);
    expect(await drift()).toEqual([['conversation.new', 3]]);
    expect((await drainStates(store.db, [tenantId])).get(tenantId)).toMatchObject({ queueEmptyAt: at(5) });
    expect(await troubledForMs(store.db, tenantId)).toBeNull();
  });

  it('say since when Gladly does not answer, whatever it answers meanwhile, over drains', async () => {
    const { tenantId, observer } = await drainOf(store);
    await observer.write(null, 'gladly_server_error', null);
    const before = (await troubledForMs(store.db, tenantId)) ?? 0;
    await beginDrain(store.db, tenantId, 'w1');
    const fence = await beginDrain(store.db, tenantId, 'w1');
    const next = new Observer({ db: store.db, tenantId, fence });
    await next.write(null, 'unknown', null);
    await next.write(null, 'gladly_timeout', null);
    expect(await troubledForMs(store.db, tenantId)).toBeGreaterThan(before);
  });

  it('lose nothing that is counted while one of them is being written, not even at the end', async () => {
    const { db, observer, extracted, drift } = await drainOf(store);
    const gate = Promise.withResolvers<void>();
    db.open = gate.promise;
    observer.stored(1, [10], []);
    const ticking = observer.write(null, 'unknown', null);
    observer.stored(40, [10], ['item.new']);
    const ending = observer.writeLast(null, 'unknown', null);
    gate.resolve();
    await Promise.all([ticking, ending]);
    expect(await extracted()).toBe(41);
    expect(await drift()).toEqual([['item.new', 1]]);
  });

  it('are one at a time', async () => {
    const { db, observer, extracted } = await drainOf(store);
    const gate = Promise.withResolvers<void>();
    db.open = gate.promise;
    observer.stored(1, [10], []);
    const ticks = [observer.write(null, 'unknown', null), observer.write(null, 'unknown', null)];
    expect(ticks[1]).toBe(ticks[0]);
    gate.resolve();
    await Promise.all(ticks);
    expect(await extracted()).toBe(1);
  });

  it('that could not be written are in the next one', async () => {
    const { db, observer, extracted, drift } = await drainOf(store);
    db.open = Promise.reject(new Error('Postgres is out'));
    observer.stored(7, [10], ['item.new']);
    await observer.write(null, 'unknown', null);
    db.open = Promise.resolve();
    observer.stored(1, [10], ['item.new']);
    await observer.writeLast(null, 'unknown', null);
    expect(await extracted()).toBe(8);
    expect(await drift()).toEqual([['item.new', 2]]);
  });

  it('of a drain that has a successor change nothing, and do not throw', async () => {
    const { tenantId, observer, extracted } = await drainOf(store);
    await beginDrain(store.db, tenantId, 'w2');
    observer.stored(1, [10], []);
    await observer.writeLast(at(5), 'gladly_unavailable', null);
    expect(await extracted()).toBe(0);
    expect((await drainStates(store.db, [tenantId])).get(tenantId)).toMatchObject({ holder: 'w2' });
    expect(await troubledForMs(store.db, tenantId)).toBeNull();
  });
});
