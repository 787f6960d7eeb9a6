import { expect, it } from 'vitest';
import type { ExtractionView, ShownPhase } from '../../../src/contracts/extraction.ts';
import { readTenantFacts } from '../../../src/store/tenant-states.ts';
import { noteWorker, pruneWorkers, removeWorker } from '../../../src/store/workers.ts';
import { liveness } from '../../../src/tenants/liveness.ts';
import { changeTenant, clearAlert, raiseAlert, recordExtraction } from '../../../src/tenants/projection.ts';
import { ReadModel } from '../../../src/tenants/read-model.ts';
import { describeStore, type Store } from '../../support/store/store-suite.ts';

const view = (phase: ShownPhase, more: Partial<ExtractionView> = {}): ExtractionView => ({
  phase,
  since: '2026-01-01T10:00:00.000Z',
  pause: phase === 'paused' ? { by: 'ann', reason: 'moving', at: '2026-01-01T10:00:00.000Z' } : null,
  disconnect: null,
  problem: null,
  warning: null,
  nextTryAt: null,
  unknownSignals: 0,
  lastUnknownSignal: null,
  ...more,
});

const phaseOf = async (store: Store, tenantId: string) =>
  (await readTenantFacts(store.db, tenantId))?.extraction?.phase;

const readModel = (store: Store): ReadModel =>
  new ReadModel({
    db: store.db,
    queues: { depths: () => Promise.reject(new Error('no tenant here has a queue')) },
    temporal: { answeredAt: new Date() },
    share: 0.7,
  });

describeStore('the projection of a tenant', (store) => {
  it('is never replaced by an older write, of the same run or of an earlier one', async () => {
    const tenantId = await store.tenant();
    const write = (runId: string, seq: number, phase: ShownPhase) =>
      recordExtraction(store.db, { tenantId, runId, seq, view: view(phase), tuning: {} });
    await write('one', 1, 'running');
    await write('one', 3, 'paused');
    await write('one', 2, 'pausing');
    expect(await phaseOf(store, tenantId)).toBe('paused');
    await write('one', 3, 'running');
    expect(await phaseOf(store, tenantId)).toBe('paused');
    await write('two', 1, 'running');
    await write('one', 4, 'paused');
    expect(await phaseOf(store, tenantId)).toBe('running');
    await expect(
      recordExtraction(store.db, { tenantId: 'no-such', runId: 'r', seq: 1, view: view('running'), tuning: {} }),
    ).resolves.toEqual({ before: null });
  });

  it('tells a run what the one before had written, until it knows', async () => {
    const tenantId = await store.tenant();
    const write = (runId: string, seq: number, isTold: boolean) =>
      recordExtraction(store.db, { tenantId, runId, seq, view: view('running'), tuning: {}, isTold });
    await recordExtraction(store.db, { tenantId, runId: 'one', seq: 1, view: view('paused'), tuning: {} });
    expect((await write('two', 1, false)).before).toEqual(view('paused'));
    expect((await write('two', 1, false)).before).toEqual(view('paused'));
    expect((await write('two', 2, true)).before).toBeNull();
  });

  it('has its place in the list at once, whatever changes it', async () => {
    const [calm, stopped, losing] = [await store.tenant(), await store.tenant(), await store.tenant()];
    for (const tenantId of [calm, stopped, losing]) {
      await changeTenant(store.db, tenantId, { state: 'connected' });
      await recordExtraction(store.db, { tenantId, runId: 'r', seq: 1, view: view('running'), tuning: {} });
    }
    const read = readModel(store);
    const order = async () => {
      const { rows } = await read.list({ search: '', group: null, page: 1 });
      const ids = rows.map(({ tenant }) => tenant.tenantId);
      return [calm, stopped, losing].sort((a, b) => ids.indexOf(a) - ids.indexOf(b));
    };
    await recordExtraction(store.db, { tenantId: stopped, runId: 'r', seq: 2, view: view('paused'), tuning: {} });
    await recordExtraction(store.db, { tenantId: losing, runId: 'r', seq: 2, view: view('paused'), tuning: {} });
    await raiseAlert(store.db, losing, 80);
    expect(await order()).toEqual([losing, stopped, calm]);
    expect((await read.list({ search: losing, group: 'attention', page: 1 })).found).toBe(1);
    await clearAlert(store.db, losing);
    expect((await read.list({ search: losing, group: 'paused', page: 9 })).rows[0]).toMatchObject({
      tenant: { tenantId: losing },
      pause: { by: 'ann', reason: 'moving' },
      standing: { label: 'Paused' },
    });
    await changeTenant(store.db, stopped, { state: 'disconnected', disconnectedAt: new Date() });
    expect((await read.list({ search: stopped, group: 'ended', page: 1 })).found).toBe(1);
  });

  it('is true as of when Temporal and a worker were last seen', async () => {
    const answeredAt = new Date();
    await store.db.query('DELETE FROM workers');
    expect(await liveness(store.db, { answeredAt })).toEqual({ asOf: null, out: 'worker', unsweptSince: null });
    await noteWorker(store.db, '1@host', 0);
    expect((await liveness(store.db, { answeredAt })).out).toBeNull();
    expect((await liveness(store.db, { answeredAt: null })).out).toBe('temporal');
    await store.db.query("UPDATE workers SET seen_at = now() - interval '1 minute'");
    const silent = await liveness(store.db, { answeredAt });
    expect(silent.out).toBe('worker');
    expect(Math.abs(answeredAt.getTime() - 60_000 - (silent.asOf?.getTime() ?? 0))).toBeLessThan(10_000);
    await store.db.query("UPDATE workers SET seen_at = now() - interval '2 days'");
    expect(await pruneWorkers(store.db)).toBe(1);
    await noteWorker(store.db, '2@host', 0);
    await removeWorker(store.db, '2@host');
    expect((await liveness(store.db, { answeredAt })).asOf).toBeNull();
  });
});
