import { randomBytes } from 'node:crypto';
import { Client, type WorkflowHandle } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  EXTRACTION_WORKFLOW,
  type ExtractionStatus,
  extractionStatusQuery,
  pauseSignal,
} from '../../../src/contracts/extraction.ts';
import {
  ONBOARDING_WORKFLOW,
  type OnboardingInput,
  type OnboardingStatus,
  onboardingStatusQuery,
  recheckSignal,
  type StepResult,
} from '../../../src/contracts/onboarding.ts';
import { missingKeyIn } from '../../../src/crypto/aead.ts';
import { createDataConverter } from '../../../src/temporal/data-converter.ts';
import { createPayloadCodec } from '../../../src/temporal/payload-codec.ts';
import { refuseUnreadableInput } from '../../../src/temporal/unreadable-input.ts';
import { TenantWorkflows } from '../../../src/tenants/workflows.ts';
import { extractionInput } from '../../support/extraction.ts';
import { createTestEnvironment, workflowBundle } from '../../support/temporal.ts';

const secret = (id: string) => ({ id, key: randomBytes(32).toString('base64') });
const ours = secret('k1');
const older = secret('k0');
const SOON = { timeout: 10_000, interval: 50 };
/** Temporal waits 10 s before it tries a task for the third time. */
const LATER = { timeout: 25_000, interval: 200 };
const DONE: StepResult = { kind: 'done', evidence: [], notices: [] };
const PARKED = {
  end: { kind: 'parked', lookAgainMs: null },
  counts: { takenIn: 0, extracted: 0, gone: 0, rejected: 0, calls: 0 },
  waiting: 0,
} as const;

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await createTestEnvironment();
});
afterAll(() => env.teardown());

const clientWith = (...keys: ReturnType<typeof secret>[]) =>
  new Client({
    connection: env.connection,
    namespace: env.namespace ?? 'default',
    dataConverter: createDataConverter(keys),
  });

/** A worker of both workflows on one queue, with these keys; `died` rejects as soon as it ends by itself. */
async function work(taskQueue: string, ...keys: ReturnType<typeof secret>[]) {
  const done = async () => DONE;
  const worker = await Worker.create({
    connection: env.nativeConnection,
    namespace: env.namespace ?? 'default',
    taskQueue,
    workflowBundle: await workflowBundle(),
    dataConverter: createDataConverter(keys),
    interceptors: { activity: [refuseUnreadableInput] },
    // A workflow that is not kept is replayed with each task.
    maxCachedWorkflows: 1,
    activities: {
      drain: async () => PARKED,
      recordExtraction: async () => ({ before: null }),
      orderStop: async () => undefined,
      recordOnboarding: async () => ({ before: null }),
      provision: done,
      checkDomain: done,
    },
  });
  const running = worker.run();
  const state = { ended: false };
  running.then(
    () => (state.ended = true),
    () => (state.ended = true),
  );
  const stop = async () => {
    if (!state.ended) worker.shutdown();
    await running.catch(() => undefined);
  };
  onTestFinished(stop);
  return { stop, isAlive: () => !state.ended };
}

let count = 0;
async function start(workflow: 'extraction' | 'onboarding', client: Client) {
  count += 1;
  const tenantId = `poisoned-${count}`;
  const { tuning } = extractionInput(tenantId);
  const onboarding: OnboardingInput = {
    version: 1,
    tenantId,
    retentionDays: 4,
    webhookSetup: 'by_hand',
    startPaused: null,
    tuning: { retryMs: 1_000, retryMaxMs: 8_000, recheckMs: 900_000, proofLookMs: 60_000, continueAsNewAfter: 1_000 },
    extractionTuning: tuning,
  };
  const handle = await client.workflow.start(workflow === 'extraction' ? EXTRACTION_WORKFLOW : ONBOARDING_WORKFLOW, {
    workflowId: tenantId,
    taskQueue: tenantId,
    args: [workflow === 'extraction' ? extractionInput(tenantId) : onboarding],
  });
  onTestFinished(() =>
    handle.terminate().then(
      () => undefined,
      () => undefined,
    ),
  );
  return handle;
}

/** As any client of Temporal can: payloads as they are. */
const signalRaw = (handle: WorkflowHandle, signalName: string, ...payloads: Payload[]) =>
  env.connection.workflowService.signalWorkflowExecution({
    namespace: env.namespace ?? 'default',
    workflowExecution: { workflowId: handle.workflowId },
    signalName,
    input: { payloads },
  });

const payload = (encoding: string, data: string): Payload => ({
  metadata: { encoding: Buffer.from(encoding) },
  data: Buffer.from(data),
});

const foreign = async () =>
  (await createPayloadCodec([secret('strange')]).encode([payload('json/plain', '{}')]))[0] ?? {};

const POISON: readonly (readonly [string, () => Promise<Payload> | Payload])[] = [
  ['encrypted under a key that is not ours', foreign],
  ['that only says it is encrypted', () => payload('binary/encrypted', 'AAAA')],
  ['in an encoding of another SDK', () => payload('json/protobuf', '{}')],
  ['of JSON that is none', () => payload('json/plain', '{"by":')],
  ['without metadata', () => ({ data: Buffer.from('{}') })],
  ['that is empty', () => ({})],
];
/** Readable, and not what the signal takes. */
const SHAPES = [
  ...['null', '7', '"text"', '[]', '{"by": 7}', '{"code": "events_expire"}', '{"version": "x"}'],
  '{"version": 9007199254740991}',
  // Of the shape that is asked for, and beyond what a Date or Temporal holds.
  '{"parkedLookMs":1e300,"gladlyWaitMs":1e300,"gladlyWaitMaxMs":1e300,"attentionLookMs":1e300,"continueAsNewAfter":1}',
];
const BEFORE_ALL_TIME = '{"by": "ann", "reason": "long ago", "at": "-200000-01-01T00:00:00Z"}';

const EXTRACTION_SIGNALS = [
  'pause',
  'resume',
  'wake',
  'credentialsChanged',
  'archive',
  'warn',
  'tune',
  'renew',
  'unheardOf',
];
const ONBOARDING_SIGNALS = [
  'recheck',
  'chooseWebhookSetup',
  'submitCredentials',
  'replaceWebhookKey',
  'webhookSeen',
  'callOff',
  'tune',
  'renew',
  'cancel',
  'unheardOf',
];

describe('signals that cannot be read, each to an extraction', () => {
  it.each(POISON)('%s: ignored, counted and named', async (_, made) => {
    const client = clientWith(ours);
    const handle = await start('extraction', client);
    const worker = await work(handle.workflowId, ours);
    for (const name of EXTRACTION_SIGNALS) await signalRaw(handle, name, await made());
    await signalRaw(handle, 'disconnect', await made());
    const status = (): Promise<ExtractionStatus> => handle.query(extractionStatusQuery);
    await vi.waitFor(async () => expect(await status()).toMatchObject({ phase: 'parked', unknownSignals: 10 }), SOON);
    expect((await status()).lastUnknownSignal).toMatch(/^disconnect, which cannot be read: /);
    await handle.signal(pauseSignal, { by: 'ann', reason: 'it lives' });
    await vi.waitFor(async () => expect((await status()).pause).toMatchObject({ reason: 'it lives' }), SOON);
    expect(worker.isAlive()).toBe(true);
  });

  it('of any shape: what it cannot be is ignored, and it lives', async () => {
    const handle = await start('extraction', clientWith(ours));
    const worker = await work(handle.workflowId, ours);
    for (const name of EXTRACTION_SIGNALS)
      for (const shape of SHAPES) await signalRaw(handle, name, payload('json/plain', shape));
    await signalRaw(handle, 'resume', payload('json/plain', '{}'));
    await signalRaw(handle, 'pause', payload('json/plain', BEFORE_ALL_TIME));
    const status = (): Promise<ExtractionStatus> => handle.query(extractionStatusQuery);
    await vi.waitFor(async () => expect((await status()).pause).toMatchObject({ reason: 'long ago' }), SOON);
    await handle.signal('resume', {});
    await vi.waitFor(async () => expect((await status()).phase).toBe('parked'), SOON);
    expect(worker.isAlive()).toBe(true);
  });
});

describe('signals that cannot be read, each to an onboarding', () => {
  it.each(POISON)('%s: ignored and counted', async (_, made) => {
    const handle = await start('onboarding', clientWith(ours));
    const worker = await work(handle.workflowId, ours);
    for (const name of ONBOARDING_SIGNALS) await signalRaw(handle, name, await made());
    const status = (): Promise<OnboardingStatus> => handle.query(onboardingStatusQuery);
    await vi.waitFor(
      async () => expect(await status()).toMatchObject({ step: 'credentials', unknownSignals: 10, cancel: null }),
      SOON,
    );
    await handle.signal(recheckSignal);
    expect(await status()).toMatchObject({ state: 'in_progress' });
    expect(worker.isAlive()).toBe(true);
  });

  it('of any shape: what it cannot be is ignored, and it lives', async () => {
    const handle = await start('onboarding', clientWith(ours));
    const worker = await work(handle.workflowId, ours);
    for (const name of ONBOARDING_SIGNALS.filter((one) => one !== 'cancel'))
      for (const shape of SHAPES) await signalRaw(handle, name, payload('json/plain', shape));
    const status = () => handle.query(onboardingStatusQuery);
    await vi.waitFor(async () => expect(await status()).toMatchObject({ step: 'credentials', cancel: null }), SOON);
    await signalRaw(handle, 'cancel', payload('json/plain', '{"by": 7}'));
    await vi.waitFor(async () => expect((await status()).cancel).toMatchObject({ discardWaitingEvents: false }), SOON);
    expect(worker.isAlive()).toBe(true);
  });
});

it('updates and queries that cannot be read, or that nobody knows, are answered with an error, and it lives', async () => {
  const client = clientWith(ours);
  const handle = await start('extraction', client);
  const worker = await work(handle.workflowId, ours);
  const soon = <T>(call: () => Promise<T>) => client.withDeadline(Date.now() + 5_000, call);
  const raw = { workflowId: handle.workflowId };
  const namespace = env.namespace ?? 'default';
  await vi.waitFor(async () => expect((await handle.query(extractionStatusQuery)).phase).toBe('parked'), SOON);
  for (const [, made] of POISON) {
    const input = { payloads: [await made()] };
    await expect(
      soon(() =>
        env.connection.workflowService.queryWorkflow({
          namespace,
          execution: raw,
          query: { queryType: 'unheardOf', queryArgs: input },
        }),
      ),
    ).rejects.toThrow();
    await soon(() =>
      env.connection.workflowService.queryWorkflow({
        namespace,
        execution: raw,
        query: { queryType: 'status', queryArgs: input },
      }),
    );
    const update = await soon(() =>
      env.connection.workflowService.updateWorkflowExecution({
        namespace,
        workflowExecution: raw,
        waitPolicy: { lifecycleStage: 3 },
        request: { meta: { updateId: randomBytes(4).toString('hex') }, input: { name: 'unheardOf', args: input } },
      }),
    );
    expect(update.outcome?.failure).toBeTruthy();
  }
  await handle.signal(pauseSignal, { by: 'ann', reason: 'it lives' });
  await vi.waitFor(async () => expect((await handle.query(extractionStatusQuery)).phase).toBe('paused'), SOON);
  expect(worker.isAlive()).toBe(true);
});

it('a signal with a reserved name stops nothing', async () => {
  const handle = await start('extraction', clientWith(ours));
  const worker = await work(handle.workflowId, ours);
  await signalRaw(handle, '__temporal_x', payload('json/plain', '{}')).catch(() => undefined);
  await handle.signal(pauseSignal, { by: 'ann', reason: 'it lives' });
  await vi.waitFor(async () => expect((await handle.query(extractionStatusQuery)).phase).toBe('paused'), SOON);
  expect(worker.isAlive()).toBe(true);
});

describe('a key that goes while a history still needs it', () => {
  it.each(['extraction', 'onboarding'] as const)(
    'stops that %s alone, and it goes on when the key is back',
    async (workflow) => {
      const handle = await start(workflow, clientWith(older));
      const taskQueue = handle.workflowId;
      const query = 'status';
      const first = await work(taskQueue, older);
      await vi.waitFor(() => handle.query(query), SOON);
      await first.stop();

      // Beside it on the same worker: one that needs only the new key.
      const other = await clientWith(ours).workflow.start(EXTRACTION_WORKFLOW, {
        workflowId: `${taskQueue}-other`,
        taskQueue,
        args: [extractionInput(`${taskQueue}-other`)],
      });
      onTestFinished(() => other.terminate().then(() => undefined));
      const second = await work(taskQueue, ours);
      await clientWith(ours)
        .workflow.getHandle(taskQueue)
        .signal(workflow === 'extraction' ? pauseSignal : recheckSignal);
      await vi.waitFor(async () => {
        const { raw } = await handle.describe();
        expect(raw.pendingWorkflowTask?.attempt).toBeGreaterThan(2);
      }, LATER);
      await vi.waitFor(async () => expect((await other.query(extractionStatusQuery)).phase).toBe('parked'), SOON);
      await other.signal(pauseSignal, { by: 'ann', reason: 'it lives' });
      await vi.waitFor(async () => expect((await other.query(extractionStatusQuery)).phase).toBe('paused'), SOON);
      expect(second.isAlive()).toBe(true);
      // What the sweep asks, and what a person is told.
      const examined = await new TenantWorkflows(clientWith(ours)).examine(taskQueue);
      if (examined.state !== 'wedged') throw new Error(`it is ${examined.state}`);
      expect(missingKeyIn(examined.reason)).toBe('k0');
      // Temporal counts its tries anew with each signal that comes, and nothing goes on all the same.
      await handle.signal('unheardOf');
      await vi.waitFor(async () => {
        const { raw } = await handle.describe();
        expect(raw.pendingWorkflowTask?.attempt).toBeLessThanOrEqual(2);
      }, LATER);
      expect(await new TenantWorkflows(clientWith(ours)).examine(taskQueue)).toMatchObject({ state: 'wedged' });
      await second.stop();

      await work(taskQueue, ours, older);
      const back = clientWith(ours, older).workflow.getHandle(taskQueue);
      if (workflow === 'extraction')
        await vi.waitFor(async () => expect((await back.query(extractionStatusQuery)).phase).toBe('paused'), LATER);
      else
        await vi.waitFor(async () => expect((await back.query(onboardingStatusQuery)).step).toBe('credentials'), LATER);
    },
    90_000,
  );
});
