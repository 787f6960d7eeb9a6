import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  disconnectSignal,
  type ExtractionTuning,
  extractionStatusQuery,
  renewSignal,
} from '../../../src/contracts/extraction.ts';
import { onboardingStatusQuery } from '../../../src/contracts/onboarding.ts';
import { extractionWorkflowId, onboardingWorkflowId } from '../../../src/contracts/tenant.ts';
import { readTenantFacts } from '../../../src/store/tenant-states.ts';
import { startGladly, type TestGladly } from '../../support/onboarding/gladly.ts';
import { clientOf, connected as connectedTo, sweepOnce } from '../../support/onboarding/operated.ts';
import { startWorld, type World } from '../../support/onboarding/world.ts';

let world: World;
let gladlies: TestGladly[];
let client: Client;
let used = 0;
beforeAll(async () => {
  gladlies = await Promise.all(Array.from({ length: 14 }, () => startGladly()));
  world = await startWorld({ gladlyHosts: gladlies.map(({ host }) => host) });
  client = clientOf(world);
});
afterAll(async () => {
  await world?.close();
  await Promise.all(gladlies.map((gladly) => gladly.close()));
});

const sweep = (changed?: Partial<ExtractionTuning>) => sweepOnce(world, client, changed);

async function connected() {
  const gladly = gladlies[used++];
  if (!gladly) throw new Error('There are too few organizations.');
  return await connectedTo(world, client, gladly);
}

/** Has it continue as new. */
async function renew(handle: WorkflowHandle): Promise<void> {
  const { runId } = await handle.describe();
  await handle.signal(renewSignal);
  await expect.poll(async () => (await handle.describe()).runId, { timeout: 10_000 }).not.toBe(runId);
}

/** To the first task of its newest run. `without`: what of it is not applied again; 1 is signals, 2 is updates. */
async function reset({ workflowId }: WorkflowHandle, without: number[]): Promise<void> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const first = events?.find(({ workflowTaskCompletedEventAttributes: done }) => done)?.eventId;
  await world.env.connection.workflowService.resetWorkflowExecution({
    namespace: namespace(),
    workflowExecution: { workflowId },
    reason: 'test',
    workflowTaskFinishEventId: first ?? null,
    requestId: `${workflowId}-${without.length}`,
    resetReapplyExcludeTypes: without,
  });
}

const namespace = () => world.env.namespace ?? 'default';

it('what was terminated or deleted is begun anew by one sweep: paused as it was, with who, why and since when', async () => {
  const it = await connected();
  const { extraction } = await it.pause();
  await it.extraction.terminate('oops');
  await it.onboarding.terminate('oops');
  await sweep();
  expect((await it.extraction.describe()).status.name).toBe('RUNNING');
  await it.until('paused again', (now) => now.extraction?.state === 'paused' && now.onboarding?.state === 'done');
  expect((await it.look()).extraction?.pause).toEqual(extraction?.pause);
  await world.env.connection.workflowService.deleteWorkflowExecution({
    namespace: namespace(),
    workflowExecution: { workflowId: extractionWorkflowId(it.id) },
  });
  await it.onboarding.cancel().catch(() => undefined);
  await sleep(1_000);
  await sweep();
  await it.until('paused after a deletion', (now) => now.extraction?.state === 'paused');
  expect((await it.extraction.query(extractionStatusQuery)).pause).toEqual(extraction?.pause);
  await world.api('POST', `${it.path}/resume`);
  await it.until('resumed', (now) => now.extraction?.state === 'parked' || now.extraction?.state === 'running');
  await sweep();
  expect((await it.look()).extraction?.pause).toBeNull();
}, 90_000);

it.each([
  ['of the first history', false],
  ['of a later one', true],
])(
  'a reset %s takes back no pause, no retention and no choice of set-up, whether signals are applied again or not',
  async (_, isCarried) => {
    const it = await connected();
    if (isCarried) await Promise.all([renew(it.extraction), renew(it.onboarding)]);
    await world.api('PATCH', it.path, { retentionDays: 14 });
    const { extraction } = await it.pause();
    for (const resetReapplyExcludeTypes of [[1, 2], []]) {
      await Promise.all([
        reset(it.extraction, resetReapplyExcludeTypes),
        reset(it.onboarding, resetReapplyExcludeTypes),
      ]);
      await sleep(1_500);
      await it.until('as before', (now) => now.extraction?.state === 'paused' && now.onboarding?.state === 'done');
      expect((await it.look()).extraction?.pause).toEqual(extraction?.pause);
      expect((await it.extraction.query(extractionStatusQuery)).pause).toEqual(extraction?.pause);
      expect(await it.look()).toMatchObject({ onboarding: { webhookSetup: 'create_for_me' } });
      expect(await world.api('GET', it.path)).toMatchObject({ retentionDays: 14 });
    }
    // What it writes is seen, although its run is another one.
    await world.api('POST', `${it.path}/resume`);
    await it.until('resumed', (now) => now.extraction?.pause === null);
  },
  90_000,
);

it('a reset takes back no resume and no disconnect that was called off', async () => {
  const it = await connected();
  await it.pause();
  await it.gladly.control('POST', '/emit', { count: 3 });
  await it.until('waiting', ({ events }) => (events.inQueue ?? 0) > 0);
  await world.api('DELETE', it.path, { reason: 'left' });
  await it.until('asking', (now) => now.onboarding?.state === 'cancelling');
  await Promise.all([renew(it.extraction), renew(it.onboarding)]);
  await world.api('POST', `${it.path}/call-off`, { reason: 'a mistake' });
  await it.until('kept', (now) => now.onboarding?.state === 'done' && now.extraction?.state === 'paused');
  await world.api('POST', `${it.path}/resume`);
  await it.until('extracted', (now) => now.extraction?.state === 'parked' && now.events.inQueue === 0);
  await Promise.all([reset(it.extraction, [1, 2]), reset(it.onboarding, [1, 2])]);
  await sleep(1_500);
  expect((await it.extraction.query(extractionStatusQuery)).pause).toBeNull();
  await it.until('still kept', (now) => now.onboarding?.state === 'done' && now.extraction?.state === 'parked');
  expect((await it.onboarding.query(onboardingStatusQuery)).cancel).toBeNull();
}, 60_000);

it('one that was paused in Temporal itself is told of, with what to do, until it is unpaused', async () => {
  const it = await connected();
  const workflow = { namespace: namespace(), workflowId: extractionWorkflowId(it.id) };
  await world.env.connection.workflowService.pauseWorkflowExecution({ ...workflow, reason: 'test' });
  await sweep();
  expect((await it.look()).findings).toMatchObject([{ code: 'workflow_paused' }]);
  expect((await it.look()).problem).toBe('workflow_paused');
  await world.env.connection.workflowService.unpauseWorkflowExecution({ ...workflow, reason: 'test' });
  await sweep();
  expect((await it.look()).findings).toEqual([]);
}, 60_000);

it('an onboarding whose check fails again and again in a way of its own is told of, with why', async () => {
  const it = await connected();
  await world.db.query('ALTER TABLE credentials RENAME TO credentials_elsewhere');
  try {
    await world.api('POST', `${it.path}/recheck`);
    // Four tries, and their waits.
    await sleep(20_000);
    await world.db.query(
      `UPDATE tenant_states SET onboarding = jsonb_set(onboarding, '{steps}', (
         SELECT jsonb_agg(CASE step->>'state' WHEN 'checking' THEN jsonb_set(step, '{since}', '"2026-01-01T00:00:00Z"') ELSE step END)
         FROM jsonb_array_elements(onboarding->'steps') step)) WHERE tenant_id = $1`,
      [it.id],
    );
    await sweep();
    expect((await it.look()).findings).toMatchObject([{ code: 'workflow_wedged' }]);
  } finally {
    await world.db.query('ALTER TABLE credentials_elsewhere RENAME TO credentials');
  }
  const findings = async () => {
    await sweep();
    return (await it.look()).findings;
  };
  await expect.poll(findings, { timeout: 60_000, interval: 5_000 }).toEqual([]);
}, 120_000);

it('a worker with other keys begins nothing anew: no other worker could go on with it', async () => {
  const it = await connected();
  await it.extraction.terminate('oops');
  await sweepOnce(world, client, {}, [{ id: 'foreign', key: Buffer.alloc(32, 7).toString('base64') }]);
  expect((await it.extraction.describe()).status.name).toBe('TERMINATED');
  await sweep();
  expect((await it.extraction.describe()).status.name).toBe('RUNNING');
}, 60_000);

it('changed settings reach workflows that run', async () => {
  const it = await connected();
  await sweep({ parkedLookMs: 123_456 });
  await expect
    .poll(async () => (await readTenantFacts(world.db, it.id))?.extractionTuning, { timeout: 10_000 })
    .toMatchObject({ parkedLookMs: 123_456 });
}, 60_000);

it('a tenant whose workflows were ended is disconnected all the same', async () => {
  const it = await connected();
  await it.onboarding.terminate('oops');
  await it.extraction.terminate('oops');
  await world.api('DELETE', it.path, { reason: 'left' });
  await it.until('disconnected', ({ connection }) => connection === 'disconnected');
}, 60_000);

it('a tenant whose extraction stands still in Temporal is disconnected all the same', async () => {
  const it = await connected();
  const workflow = { namespace: namespace(), workflowId: extractionWorkflowId(it.id) };
  await world.env.connection.workflowService.pauseWorkflowExecution({ ...workflow, reason: 'test' });
  await world.api('DELETE', it.path, { reason: 'left' });
  await it.until('disconnected', ({ connection }) => connection === 'disconnected', 60_000);
}, 90_000);

it('a tenant whose onboarding stands still is disconnected by the next sweep, and nothing is told of it any more', async () => {
  const it = await connected();
  const workflow = { namespace: namespace(), workflowId: onboardingWorkflowId(it.id) };
  await world.env.connection.workflowService.pauseWorkflowExecution({ ...workflow, reason: 'test' });
  await world.api('DELETE', it.path, { reason: 'left' });
  expect((await it.look()).connection).toBe('connected');
  await sweep();
  await it.until('disconnected', ({ connection }) => connection === 'disconnected');
  expect((await it.look()).findings).toEqual([]);
}, 60_000);

it('one that was disconnected in Temporal alone is begun anew by the next sweep, paused if it was', async () => {
  const it = await connected();
  const { extraction } = await it.pause();
  await it.extraction.signal(disconnectSignal, { by: 'ann', reason: 'by hand' });
  await it.until('ended', (now) => now.extraction?.state === 'disconnected');
  await sweep();
  await it.until('paused again', (now) => now.extraction?.state === 'paused');
  expect((await it.look()).extraction?.pause).toEqual(extraction?.pause);
}, 60_000);

it('a disconnect that asks what to do with waiting events can be called off, and all goes on as before', async () => {
  const it = await connected();
  await it.pause();
  await it.gladly.control('POST', '/emit', { count: 3 });
  await it.until('waiting', ({ events }) => (events.inQueue ?? 0) > 0);
  await world.api('DELETE', it.path, { reason: 'left' });
  await it.until('asking', (now) => now.onboarding?.state === 'cancelling');
  await world.api('POST', `${it.path}/call-off`, { reason: 'a mistake' });
  await it.until('kept', (now) => now.onboarding?.state === 'done' && now.extraction?.state === 'paused');
  await world.api('POST', `${it.path}/resume`);
  const { connection, events } = await it.until('extracted', (now) => now.extraction?.state === 'parked');
  expect({ connection, events }).toMatchObject({ connection: 'connected', events: { waiting: 0, inQueue: 0 } });
  await expect(world.api('POST', `${it.path}/call-off`, {})).rejects.toThrow();
}, 90_000);
