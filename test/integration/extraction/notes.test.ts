import { expect, it } from 'vitest';
import { Notes, Observer, type Seen } from '../../../src/activities/drain/observer.ts';
import type { Db } from '../../../src/store/db.ts';
import { beginDrain, drainStates, leftByDrains } from '../../../src/store/drains.ts';
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

/** An observer, and how to change what it sees. */
function observerOf(tenantId: string, fence: number) {
  let seen: Seen = { queueEmptyAt: null, problemCode: 'unknown', quota: null };
  const observer = new Observer({ tenantId, fence }, () => seen);
  const sees = (queueEmptyAt: Date | null, problemCode: string): void => {
    seen = { queueEmptyAt, problemCode, quota: null };
  };
  return { observer, sees };
}

async function drainOf(store: Store) {
  const tenantId = await store.tenant();
  const db = gated(store.db);
  const fence = await beginDrain(store.db, tenantId, 'w1');
  const { observer, sees } = observerOf(tenantId, fence);
  const notes = new Notes(db);
  notes.add(observer);
  const extracted = async (): Promise<number> => {
    const minutes = await readMeasurements(store.db, tenantId, { from: new Date(0), to: new Date('2100-01-01') });
    return minutes.reduce((sum, minute) => sum + minute.extracted, 0);
  };
  const drift = async () => (await listDrift(store.db, tenantId, 10)).map(({ what, count }) => [what, count]);
  return { tenantId, db, observer, notes, sees, extracted, drift };
}

describeStore('the notes of a drain', (store) => {
  const troubledForMs = async (tenantId: string) => (await leftByDrains(store.db, tenantId)).troubledForMs;

  it('say what was seen, and add up what was counted', async () => {
    const { tenantId, observer, notes, sees, extracted, drift } = await drainOf(store);
    observer.stored(3, [10, 20, 30], ['conversation.new', 'conversation.new']);
    sees(at(5), 'gladly_unavailable');
    await notes.write();
    observer.stored(2, [10, 20], ['conversation.new']);
    sees(null, 'unknown');
    await notes.write();
    expect(await troubledForMs(tenantId)).toBeGreaterThanOrEqual(0);
    sees(null, 'none');
    await notes.writeLast(observer);
    expect(await extracted()).toBe(5);
    expect(await drift()).toEqual([['conversation.new', 3]]);
    expect((await drainStates(store.db, [tenantId])).get(tenantId)).toMatchObject({ queueEmptyAt: at(5) });
    expect(await troubledForMs(tenantId)).toBeNull();
  });

  it('say since when Gladly does not answer, whatever it answers meanwhile, over drains', async () => {
    const { tenantId, notes, sees } = await drainOf(store);
    sees(null, 'gladly_server_error');
    await notes.write();
    const before = (await troubledForMs(tenantId)) ?? 0;
    await beginDrain(store.db, tenantId, 'w1');
    const next = observerOf(tenantId, await beginDrain(store.db, tenantId, 'w1'));
    const ofNext = new Notes(store.db);
    ofNext.add(next.observer);
    await ofNext.write();
    next.sees(null, 'gladly_timeout');
    await ofNext.write();
    expect(await troubledForMs(tenantId)).toBeGreaterThan(before);
  });

  it('lose nothing that is counted while one of them is being written, not even at the end', async () => {
    const { db, observer, notes, extracted, drift } = await drainOf(store);
    const gate = Promise.withResolvers<void>();
    db.open = gate.promise;
    observer.stored(1, [10], []);
    const ticking = notes.write();
    observer.stored(40, [10], ['item.new']);
    const ending = notes.writeLast(observer);
    gate.resolve();
    await Promise.all([ticking, ending]);
    expect(await extracted()).toBe(41);
    expect(await drift()).toEqual([['item.new', 1]]);
  });

  it('are one at a time', async () => {
    const { db, observer, notes, extracted } = await drainOf(store);
    const gate = Promise.withResolvers<void>();
    db.open = gate.promise;
    observer.stored(1, [10], []);
    const ticks = [notes.write(), notes.write()];
    expect(ticks[1]).toBe(ticks[0]);
    gate.resolve();
    await Promise.all(ticks);
    expect(await extracted()).toBe(1);
  });

  it('that could not be written are in the next one', async () => {
    const { db, observer, notes, extracted, drift } = await drainOf(store);
    db.open = Promise.reject(new Error('Postgres is out'));
    observer.stored(7, [10], ['item.new']);
    await notes.write();
    db.open = Promise.resolve();
    observer.stored(1, [10], ['item.new']);
    await notes.writeLast(observer);
    expect(await extracted()).toBe(8);
    expect(await drift()).toEqual([['item.new', 2]]);
  });

  it('of a drain that has a successor change nothing, and do not throw', async () => {
    const { tenantId, observer, notes, sees, extracted } = await drainOf(store);
    await beginDrain(store.db, tenantId, 'w2');
    observer.stored(1, [10], []);
    sees(at(5), 'gladly_unavailable');
    await notes.writeLast(observer);
    expect(await extracted()).toBe(0);
    expect((await drainStates(store.db, [tenantId])).get(tenantId)).toMatchObject({ holder: 'w2' });
    expect(await troubledForMs(tenantId)).toBeNull();
  });

  it('of many drains are two statements and a count, and of those that saw nothing none', async () => {
    const drains = await Promise.all(Array.from({ length: 30 }, () => drainOf(store)));
    let statements = 0;
    const query: Db['query'] = (...args) => {
      statements += 1;
      return store.db.query(...args);
    };
    const notes = new Notes({ ...store.db, query });
    for (const { observer } of drains) notes.add(observer);
    for (const { observer } of drains.slice(0, 20)) observer.stored(1, [10], []);
    await notes.write();
    expect(statements).toBe(3);
    await notes.write();
    expect(statements).toBe(3);
    expect(await drains[0]?.extracted()).toBe(1);
    expect(await drains[25]?.extracted()).toBe(0);
  });
});
