import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, it } from 'vitest';
import { createPrune } from '../../../src/activities/sweep/prune.ts';
import type { Db } from '../../../src/store/db.ts';
import { eventCounts } from '../../../src/store/ledger/counters.ts';
import { takeIn } from '../../../src/store/ledger/take-in.ts';
import { addMeasurements, readMeasurements } from '../../../src/store/measurements.ts';
import { noteWorker } from '../../../src/store/workers.ts';
import { event, settleEvents } from '../../support/store/samples.ts';
import { describeStore } from '../../support/store/store-suite.ts';

const DAY_MS = 86_400_000;

/** A store, and the statements that were sent to it outside transactions. */
function heard(db: Db): { readonly db: Db; readonly statements: readonly string[] } {
  const statements: string[] = [];
  const query = (...args: Parameters<Db['query']>) => {
    statements.push(args[0]);
    return db.query(...args);
  };
  return { db: { ...db, query: query as Db['query'] }, statements };
}

describeStore('the prune', (store) => {
  /** A prune so many days from now. */
  async function pruneIn(days: number, { db = store.db, vacuums = false } = {}) {
    const environment = new MockActivityEnvironment();
    let heartbeats = 0;
    environment.on('heartbeat', () => {
      heartbeats += 1;
    });
    const now = () => new Date(Date.now() + days * DAY_MS);
    const prune = createPrune({ db, keepDoneMs: 20 * DAY_MS, vacuums, now });
    const report = await environment.run<[], { readonly trimmed: number }, typeof prune>(prune);
    return { ...report, heartbeats };
  }

  it('removes events that were done long ago, step by step, and no others', async () => {
    const tenantId = await store.tenant();
    const done = Array.from({ length: 2_100 }, (_, n) => event(`done-${n}`, `c${n % 7}`));
    await takeIn(store.db, tenantId, [...done, event('waits', 'c1'), event('rejected', 'c2')]);
    await store.db.transaction((tx) =>
      settleEvents(tx, tenantId, [
        ...done.map(({ eventId }) => ({ eventId, state: 'extracted' as const })),
        { eventId: 'rejected', state: 'rejected', reason: 'poison' },
      ]),
    );
    expect(await pruneIn(19)).toMatchObject({ trimmed: 0, heartbeats: 2 });
    expect(await eventCounts(store.db, tenantId)).toMatchObject({ extracted: 2_100, trimmed: 0 });
    // Each step says that it lives: 1,000, 1,000 and 100 events, and one of measurements.
    expect(await pruneIn(21)).toMatchObject({ trimmed: 2_100, heartbeats: 4 });
    expect(await eventCounts(store.db, tenantId)).toMatchObject({
      waiting: 1,
      rejected: 1,
      extracted: 0,
      trimmed: 2_100,
    });
    expect(await pruneIn(21)).toMatchObject({ trimmed: 0 });
  });

  it('removes measurements as fast as they grow: all that are too old in one go', async () => {
    const tenantId = await store.tenant();
    await store.db.query(
      `INSERT INTO measurements (tenant_id, minute, accepted, extracted)
       SELECT $1, now() - n * interval '1 minute', 1, 1 FROM generate_series(1, 2500) n`,
      [tenantId],
    );
    await pruneIn(92);
    const { rows } = await store.db.query('SELECT minute FROM measurements WHERE tenant_id = $1', [tenantId]);
    expect(rows).toEqual([]);
  });

  it('removes measurements after 90 days', async () => {
    const tenantId = await store.tenant();
    const now = Date.now();
    const old = new Date(now - 2 * DAY_MS);
    await addMeasurements(store.db, [
      { tenantId, at: old, extracted: 1 },
      { tenantId, at: new Date(now), extracted: 2 },
    ]);
    const kept = async () =>
      (await readMeasurements(store.db, tenantId, { from: new Date(0), to: new Date(now + DAY_MS) })).map(
        ({ extracted }) => extracted,
      );
    await pruneIn(87);
    expect(await kept()).toEqual([1, 2]);
    await pruneIn(89);
    expect(await kept()).toEqual([2]);
  });

  it('forgets workers that have been silent for a day', async () => {
    await noteWorker(store.db, 'killed', 0);
    await store.db.query("UPDATE workers SET seen_at = now() - interval '25 hours'");
    await noteWorker(store.db, 'at work', 0);
    await pruneIn(0);
    const { rows } = await store.db.query<{ worker: string }>('SELECT worker FROM workers');
    expect(rows).toEqual([{ worker: 'at work' }]);
  });

  it('vacuums only where the database does not do so by itself', async () => {
    for (const vacuums of [false, true]) {
      const { db, statements } = heard(store.db);
      await pruneIn(0, { db, vacuums });
      expect(
        statements.some((sql) => sql.startsWith('VACUUM')),
        `vacuums: ${vacuums}`,
      ).toBe(vacuums);
    }
  });
});
