import { expect, it } from 'vitest';
import { addMeasurements, readMeasurements, trimMeasurements } from '../../../src/store/measurements.ts';
import { getReference, putReference } from '../../../src/store/reference.ts';
import { lastSeenOf, listSightings, recordSightings } from '../../../src/store/sightings.ts';
import { at } from '../../support/store/samples.ts';
import { describeStore } from '../../support/store/store-suite.ts';

describeStore('reference', (store) => {
  it('keeps what Gladly lists no more, and says so', async () => {
    const tenantId = await store.tenant();
    expect(await getReference(store.db, tenantId, 'agents')).toBeNull();
    const ann = { id: 'a1', name: 'Ann', raw: { id: 'a1', name: 'Ann', note: 'a\0b' } };
    await putReference(store.db, tenantId, 'agents', [ann, { id: 'a2', raw: {} }, ann], at(0));
    await putReference(store.db, tenantId, 'agents', [{ id: 'a2', name: 'Bob', raw: { b: 1 } }], at(60));
    await putReference(store.db, tenantId, 'agents', [], at(30));
    expect(await getReference(store.db, tenantId, 'agents')).toEqual({
      fetchedAt: at(60),
      entries: [
        { id: 'a1', name: 'Ann', raw: { id: 'a1', name: 'Ann', note: 'a\ufffdb' }, listed: false },
        { id: 'a2', name: 'Bob', raw: { b: 1 }, listed: true },
      ],
    });
    await putReference(store.db, tenantId, 'inboxes', [], at(0));
    expect(await getReference(store.db, tenantId, 'inboxes')).toEqual({ fetchedAt: at(0), entries: [] });
  });
});

describeStore('sightings', (store) => {
  it('adds up by kind and key', async () => {
    const [tenantId, other] = [await store.tenant(), await store.tenant()];
    const seen = (type: string, keyId: string, first: number, last: number, count: number) => ({
      tenantId,
      type,
      keyId,
      firstAt: at(first),
      lastAt: at(last),
      count,
    });
    await recordSightings(store.db, [
      seen('PING', 'k1', 5, 5, 1),
      seen('CONVERSATION/CREATED', 'k1', 6, 9, 3),
      seen('PING', 'k1', 2, 7, 2),
    ]);
    await recordSightings(store.db, [seen('PING', 'k1', 8, 8, 1), seen('PING', 'k2', 9, 9, 1)]);
    await recordSightings(store.db, []);
    expect(await listSightings(store.db, tenantId)).toEqual([
      seen('CONVERSATION/CREATED', 'k1', 6, 9, 3),
      seen('PING', 'k1', 2, 8, 4),
      seen('PING', 'k2', 9, 9, 1),
    ]);
    expect(await lastSeenOf(store.db, [tenantId, other])).toEqual(new Map([[tenantId, at(9)]]));
  });
});

describeStore('new sightings', (store) => {
  it('are those that were not stored before, each told once', async () => {
    const [tenantId, other] = [await store.tenant(), await store.tenant()];
    const seen = (type: string, keyId: string, tenant = tenantId) => ({
      tenantId: tenant,
      type,
      keyId,
      firstAt: at(0),
      lastAt: at(0),
      count: 1,
    });
    const key = (type: string, keyId: string, tenant = tenantId) => ({ tenantId: tenant, type, keyId });
    expect(await recordSightings(store.db, [])).toEqual([]);
    expect(await recordSightings(store.db, [seen('A/B', 'k1'), seen('A/B', 'k1')])).toEqual([key('A/B', 'k1')]);
    // In the order of tenants' ids, whichever of the two that puts first.
    const found = await recordSightings(store.db, [seen('A/B', 'k1'), seen('A/B', 'k2'), seen('A/B', 'k1', other)]);
    expect(found).toHaveLength(2);
    expect(found).toEqual(expect.arrayContaining([key('A/B', 'k2'), key('A/B', 'k1', other)]));
    expect(await recordSightings(store.db, [seen('A/B', 'k1'), seen('A/B', 'k2')])).toEqual([]);
    const both = await Promise.all([1, 2].map(() => recordSightings(store.db, [seen('C/D', 'k1')])));
    expect(both.flat()).toEqual([key('C/D', 'k1')]);
    // What was rolled back is new again.
    const rolledBack = store.db.transaction(async (tx) => {
      await recordSightings(tx, [seen('E/F', 'k1')]);
      throw new Error('x');
    });
    await expect(rolledBack).rejects.toThrow('x');
    expect(await recordSightings(store.db, [seen('E/F', 'k1')])).toEqual([key('E/F', 'k1')]);
  });
});

describeStore('measurements', (store) => {
  it('adds up by minute, over calls and writers', async () => {
    const tenantId = await store.tenant();
    const fresh = [...new Array<number>(98).fill(100), 5_000, 60_000];
    await addMeasurements(store.db, [
      { tenantId, at: at(1), accepted: 3 },
      { tenantId, at: at(59), accepted: 2, waiting: 7 },
      { tenantId, at: at(60), extracted: 1, freshnessMs: [20] },
    ]);
    await Promise.all([
      addMeasurements(store.db, [{ tenantId, at: at(30), extracted: 50, freshnessMs: fresh.slice(0, 50) }]),
      addMeasurements(store.db, [{ tenantId, at: at(31), extracted: 50, waiting: 9, freshnessMs: fresh.slice(50) }]),
    ]);
    const [first, second, ...more] = await readMeasurements(store.db, tenantId, { from: at(0), to: at(600) });
    expect(more).toEqual([]);
    expect(first).toMatchObject({ minute: at(0), accepted: 5, extracted: 100, waiting: 9 });
    expect(second).toMatchObject({ minute: at(60), accepted: 0, extracted: 1, waiting: null });
    // Buckets: never too low, and at most 41 % too high.
    expect(first?.freshnessP50Ms).toSatisfy((ms: number) => ms >= 100 && ms <= 142);
    expect(first?.freshnessP99Ms).toSatisfy((ms: number) => ms >= 5_000 && ms <= 7_071);
    expect(await readMeasurements(store.db, tenantId, { from: at(60), to: at(60) })).toEqual([]);
  });

  it('is trimmed by age', async () => {
    const tenantId = await store.tenant();
    await addMeasurements(
      store.db,
      [0, 60, 120].map((seconds) => ({ tenantId, at: at(seconds - 86_400), accepted: 1 })),
    );
    expect(await trimMeasurements(store.db, { olderThan: at(120 - 86_400), limit: 1 })).toBe(1);
    expect(await trimMeasurements(store.db, { olderThan: at(120 - 86_400), limit: 10 })).toBe(1);
    expect(await readMeasurements(store.db, tenantId, { from: at(-90_000), to: at(0) })).toHaveLength(1);
  });
});
