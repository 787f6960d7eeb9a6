import { describe, expect, test } from 'vitest';
import { createDeliveryStats, type NoteKeys } from '../../../src/api/ingest/delivery-stats.ts';
import { type DeliveryStat, STAT_TYPE } from '../../../src/api/ingest/ports.ts';
import { listSightings } from '../../../src/store/sightings.ts';
import { readTenantFacts } from '../../../src/store/tenant-states.ts';
import { recordKeysSeen } from '../../../src/tenants/projection.ts';
import { describeStore } from '../../support/store/store-suite.ts';

const stat = (tenantId: string, type: string, keyId = 'k1', count = 1): DeliveryStat => ({
  tenantId,
  type,
  keyId,
  firstAt: 1_000,
  lastAt: 2_000,
  count,
});

describeStore('delivery stats', (store) => {
  /** The adapter as a process that has just started has it, and what it tells. */
  const start = () => {
    const told: string[] = [];
    return { told, stats: createDeliveryStats(store.db, (tenantIds) => told.push(...tenantIds)) };
  };

  test('add up in the database', async () => {
    const tenantId = await store.tenant();
    const { stats } = start();
    await stats.record([stat(tenantId, 'A/B', 'k1', 2)]);
    await stats.record([stat(tenantId, 'A/B', 'k1', 3)]);
    expect(await listSightings(store.db, tenantId)).toEqual([
      { tenantId, type: 'A/B', keyId: 'k1', firstAt: new Date(1_000), lastAt: new Date(2_000), count: 5 },
    ]);
  });

  describe('news', () => {
    test('is the first event of a type with a key, also after a restart', async () => {
      const tenantId = await store.tenant();
      const before = start();
      await before.stats.record([stat(tenantId, 'A/B'), stat(tenantId, 'C/D')]);
      expect(before.told).toEqual([tenantId]);
      await before.stats.record([stat(tenantId, 'A/B')]);
      expect(before.told).toEqual([tenantId]);
      const after = start();
      await after.stats.record([stat(tenantId, 'A/B'), stat(tenantId, 'C/D')]);
      expect(after.told).toEqual([]);
      await after.stats.record([stat(tenantId, 'A/B', 'k2')]);
      expect(after.told).toEqual([tenantId]);
    });

    test.each([
      ['a PING', STAT_TYPE.ping, 'k1'],
      ['a wrong key', STAT_TYPE.wrongKey, ''],
    ])('is %s each time', async (_, type, keyId) => {
      const tenantId = await store.tenant();
      const { told, stats } = start();
      await stats.record([stat(tenantId, type, keyId)]);
      await stats.record([stat(tenantId, type, keyId)]);
      expect(told).toEqual([tenantId, tenantId]);
    });

    test('is not told when it could not be stored, and then is', async () => {
      const [tenantId, other] = [await store.tenant(), await store.tenant()];
      const { told, stats } = start();
      await store.db.query(`ALTER TABLE measurements ADD CONSTRAINT no_poison CHECK (tenant_id <> '${other}')`);
      const batch = [stat(tenantId, 'A/B'), stat(other, 'A/B')];
      await expect(stats.record(batch)).rejects.toThrow();
      await store.db.query('ALTER TABLE measurements DROP CONSTRAINT no_poison');
      expect(told).toEqual([]);
      await stats.record(batch);
      expect(told).toEqual([tenantId, other]);
    });
  });

  describe('a wrong key', () => {
    const wrong = (tenantId: string, at: number): DeliveryStat => ({
      ...stat(tenantId, STAT_TYPE.wrongKey, ''),
      firstAt: at,
      lastAt: at,
    });
    const right = (tenantId: string, at: number): DeliveryStat => ({
      ...stat(tenantId, 'A/B'),
      firstAt: at,
      lastAt: at,
    });
    const start = () => {
      const refused: string[] = [];
      const noteKeys = async (seen: Parameters<NoteKeys>[0]) =>
        void refused.push(...(await recordKeysSeen(store.db, seen)));
      return { refused, stats: createDeliveryStats(store.db, () => undefined, noteKeys) };
    };
    const refusedAt = async (tenantId: string) => (await readTenantFacts(store.db, tenantId))?.keyRefusedAt?.getTime();

    test('is noted until a right one comes, and told once', async () => {
      const tenantId = await store.tenant();
      const { refused, stats } = start();
      await stats.record([right(tenantId, 1_000)]);
      await stats.record([wrong(tenantId, 2_000)]);
      await stats.record([wrong(tenantId, 3_000)]);
      expect([await refusedAt(tenantId), refused]).toEqual([3_000, [tenantId]]);
      await stats.record([right(tenantId, 4_000)]);
      expect([await refusedAt(tenantId), refused]).toEqual([undefined, [tenantId]]);
      await stats.record([wrong(tenantId, 5_000)]);
      expect([await refusedAt(tenantId), refused]).toEqual([5_000, [tenantId, tenantId]]);
    });

    test('counts by when it came, not by when it was written', async () => {
      const tenantId = await store.tenant();
      const [one, other] = [start(), start()];
      await one.stats.record([right(tenantId, 3_000)]);
      await other.stats.record([wrong(tenantId, 2_000)]);
      expect(await refusedAt(tenantId)).toBeUndefined();
      await other.stats.record([wrong(tenantId, 4_000), right(tenantId, 5_000)]);
      expect(await refusedAt(tenantId)).toBeUndefined();
      await other.stats.record([right(tenantId, 6_000), wrong(tenantId, 7_000)]);
      await one.stats.record([right(tenantId, 6_500)]);
      expect(await refusedAt(tenantId)).toBe(7_000);
    });
  });
});
