import { expect, it } from 'vitest';
import { takeIn } from '../../../src/store/ledger/take-in.ts';
import { addMeasurements } from '../../../src/store/measurements.ts';
import { readFindings } from '../../../src/store/tenant-states.ts';
import { recordProgress } from '../../../src/tenants/progress.ts';
import { event } from '../../support/store/samples.ts';
import { describeStore } from '../../support/store/store-suite.ts';

describeStore('events that do not go on', (store) => {
  const record = async (tenantId: string, isRunning = true, starved = false) =>
    (await recordProgress(store.db, tenantId, { isRunning, starved, now: new Date() })).change;
  const codes = async (tenantId: string) =>
    (await readFindings(store.db, tenantId)).map(({ code, params }) => [code, params]);
  /** A tenant with an event that has waited for `minutes`. */
  async function waiting(minutes: number) {
    const tenantId = await store.tenant();
    await takeIn(store.db, tenantId, [event('e1', 'c1', new Date())]);
    await store.db.query(
      "UPDATE pending_conversations SET first_taken_at = now() - $2 * interval '1 min', last_taken_at = now() - $2 * interval '1 min' WHERE tenant_id = $1",
      [tenantId, minutes],
    );
    return tenantId;
  }

  it('are told of within two minutes, and not at once', async () => {
    expect(await record(await waiting(1.5))).toBeNull();
    expect(await record(await waiting(1.7))).toMatchObject({ raised: [{ code: 'events_stalled' }] });
    const tenantId = await waiting(3.5);
    expect(await record(tenantId)).toMatchObject({ raised: [{ code: 'events_stalled' }] });
    expect(await codes(tenantId)).toEqual([['events_stalled', { minutes: 3 }]]);
  });

  it('are not told of while something is extracted, and what was told is withdrawn', async () => {
    const tenantId = await waiting(3.5);
    await record(tenantId);
    const at = new Date();
    await addMeasurements(store.db, [{ tenantId, at, extracted: 1, waiting: 1, freshnessMs: [] }]);
    expect(await record(tenantId)).toMatchObject({ withdrawn: ['events_stalled'] });
    expect(await codes(tenantId)).toEqual([]);
  });

  it('wait for quota where Gladly refused for want of it', async () => {
    const tenantId = await waiting(5.2);
    await record(tenantId, true, true);
    expect(await codes(tenantId)).toEqual([['quota_starved', { minutes: 5 }]]);
    expect(await record(tenantId, false)).toMatchObject({ withdrawn: ['quota_starved'] });
  });

  it('because their conversation fails again and again are told of at once, with how many and why', async () => {
    const tenantId = await waiting(0);
    const fail = (attempts: number) =>
      store.db.query(
        "UPDATE pending_conversations SET attempts = $2, reason = 'gladly_server_error', not_before = now() + interval '1 min' WHERE tenant_id = $1",
        [tenantId, attempts],
      );
    await fail(2);
    expect(await record(tenantId)).toBeNull();
    await fail(3);
    await record(tenantId);
    expect(await codes(tenantId)).toEqual([
      ['conversations_failing', { count: 1, reason: 'gladly_server_error', ids: 'c1' }],
    ]);
    await fail(0);
    expect(await record(tenantId)).toMatchObject({ withdrawn: ['conversations_failing'] });
  });

  it('because Gladly does not show yet what they tell of are told of, while others go on', async () => {
    const put = (tenantId: string) =>
      store.db.query(
        "UPDATE pending_conversations SET reason = 'item_not_found', not_before = now() + interval '2 min' WHERE tenant_id = $1",
        [tenantId],
      );
    const [young, tenantId] = [await waiting(1), await waiting(2)];
    await put(young);
    expect(await record(young)).toBeNull();
    await put(tenantId);
    await record(tenantId);
    expect(await codes(tenantId)).toEqual([
      ['conversations_put_off', { count: 1, reason: 'item_not_found', ids: 'c1' }],
    ]);
    await store.db.query('DELETE FROM pending_conversations WHERE tenant_id = $1', [tenantId]);
    expect(await record(tenantId)).toMatchObject({ withdrawn: ['conversations_put_off'] });
  });
});
