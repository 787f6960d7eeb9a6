import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createWatchTenants } from '../../../src/activities/sweep/watch-tenants.ts';
import { readConfig } from '../../../src/config.ts';
import {
  disconnectSignal,
  type ExtractionTuning,
  extractionStatusQuery,
  renewSignal,
} from '../../../src/contracts/extraction.ts';
import { submitCredentialsSignal } from '../../../src/contracts/onboarding.ts';
import { extractionWorkflowId, onboardingWorkflowId } from '../../../src/contracts/tenant.ts';
import { createSqsClients } from '../../../src/queue/client.ts';
import { createQueues } from '../../../src/queue/provision.ts';
import { readTenantFacts } from '../../../src/store/tenant-states.ts';
import { createDataConverter } from '../../../src/temporal/data-converter.ts';
import { tuningsOf } from '../../../src/tenants/tuning.ts';
import { TenantWorkflows } from '../../../src/tenants/workflows.ts';
import { startGladly, type TestGladly } from '../../support/onboarding/gladly.ts';
import { createTenant, credentialsOf } from '../../support/onboarding/tenant.ts';
import { startWorld, type World } from '../../support/onboarding/world.ts';

const seen = z.object({
  state: z.string().nullable(),
  connection: z.string(),
  events: z.object({ waiting: z.number(), inQueue: z.number().nullable() }).loose(),
  problem: z.string().nullable(),
  findings: z.array(z.object({ code: z.string() }).loose()),
  pause: z.object({ by: z.string(), reason: z.string(), at: z.string() }).nullish(),
  extraction: z
    .object({ state: z.string(), pause: z.object({ reason: z.string(), at: z.string() }).loose().nullable() })
    .loose()
    .nullable(),
  onboarding: z.object({ state: z.string(), webhookSetup: z.string() }).loose().nullable(),
});

let world: World;
let gladlies: TestGladly[];
let client: Client;
let used = 0;
beforeAll(async () => {
  gladlies = await Promise.all(Array.from({ length: 10 }, () => startGladly()));
  world = await startWorld({ gladlyHosts: gladlies.map(({ host }) => host) });
  const { SECRET_KEYS } = readConfig(world.variables, 'api');
  client = new Client({
    connection: world.env.connection,
    namespace: world.env.namespace ?? 'default',
    dataConverter: createDataConverter(SECRET_KEYS),
  });
});
afterAll(async () => {
  await world?.close();
  await Promise.all(gladlies.map((gladly) => gladly.close()));
});

/** As the Schedule has it done, with the settings of the world or with others. */
async function sweep(changed: Partial<ExtractionTuning> = {}): Promise<void> {
  const config = readConfig(world.variables, 'api');
  const sqs = createSqsClients({ region: config.AWS_REGION, endpoint: world.sqsEndpoint });
  const tunings = tuningsOf(config);
  const watch = createWatchTenants({
    db: world.db,
    queues: createQueues(sqs.control, { prefix: config.QUEUE_PREFIX }),
    workflows: new TenantWorkflows(client),
    tunings: { ...tunings, extraction: { ...tunings.extraction, ...changed } },
    log: pino({ level: 'silent' }),
    now: () => new Date(),
  });
  // Temporal's lists lag a moment behind.
  await sleep(1_500);
  await new MockActivityEnvironment().run(watch);
  sqs.close();
}

async function connected() {
  const gladly = gladlies[used++];
  if (!gladly) throw new Error('There are too few organizations.');
  const tenant = await createTenant(world, { webhookSetup: 'create_for_me' });
  await tenant.give(credentialsOf(gladly));
  await tenant.until(({ onboarding, extraction }) => onboarding.state === 'done' && extraction !== null);
  const path = `/v1/tenants/${tenant.id}`;
  const look = async () => seen.parse(await world.api('GET', path));
  const until = async (what: string, wanted: (now: z.infer<typeof seen>) => boolean, ms = 20_000) => {
    for (const end = Date.now() + ms; ; await sleep(100)) {
      const now = await look();
      if (wanted(now)) return now;
      if (Date.now() > end) throw new Error(`${what}: not within ${ms} ms; last: ${JSON.stringify(now)}`);
    }
  };
  const pause = async () => {
    await world.api('POST', `${path}/pause`, { reason: 'they asked' });
    return until('paused', ({ extraction }) => extraction?.state === 'paused');
  };
  return {
    gladly,
    id: tenant.id,
    path,
    look,
    until,
    pause,
    onboarding: client.workflow.getHandle(onboardingWorkflowId(tenant.id)),
    extraction: client.workflow.getHandle(extractionWorkflowId(tenant.id)),
  };
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

it('a reset takes back no pause, no retention and no choice of set-up, whether signals are applied again or not', async () => {
  const it = await connected();
  await world.api('PATCH', it.path, { retentionDays: 14 });
  // A run that another one has carried on knows more than its input, too.
  await it.extraction.signal(renewSignal);
  await it.onboarding.signal(renewSignal);
  await sleep(1_500);
  const { extraction } = await it.pause();
  for (const resetReapplyExcludeTypes of [[1, 2], []]) {
    for (const workflowId of [extractionWorkflowId(it.id), onboardingWorkflowId(it.id)]) {
      const first = await vi.waitFor(async () => {
        const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
        const completed = events?.find(({ workflowTaskCompletedEventAttributes: done }) => done)?.eventId;
        if (completed == null) throw new Error('no task is completed yet');
        return completed;
      }, 10_000);
      await world.env.connection.workflowService.resetWorkflowExecution({
        namespace: namespace(),
        workflowExecution: { workflowId },
        reason: 'test',
        workflowTaskFinishEventId: first,
        requestId: `${workflowId}-${resetReapplyExcludeTypes.length}`,
        resetReapplyExcludeTypes,
      });
    }
    await sleep(1_500);
    await it.until('as before', (now) => now.extraction?.state === 'paused' && now.onboarding?.state === 'done');
    expect((await it.look()).extraction?.pause).toEqual(extraction?.pause);
    expect(await it.look()).toMatchObject({ onboarding: { webhookSetup: 'create_for_me' } });
    expect(await world.api('GET', it.path)).toMatchObject({ retentionDays: 14 });
  }
  // What it writes is seen, although its run is another one.
  await world.api('POST', `${it.path}/resume`);
  await it.until('resumed', (now) => now.extraction?.pause === null);
}, 90_000);

it('an onboarding that was signalled credentials that never were says so, and takes those that are entered then', async () => {
  const it = await connected();
  await it.onboarding.signal(submitCredentialsSignal, { version: 1_000 });
  await it.until('asking', ({ problem }) => problem === 'credentials_missing');
  await world.api('PUT', `${it.path}/credentials`, credentialsOf(it.gladly));
  await it.until('connected again', ({ problem, onboarding }) => problem === null && onboarding?.state === 'done');
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
