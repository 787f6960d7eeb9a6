import { CancelledFailure, Context } from '@temporalio/activity';
import { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import {
  cancelSignal,
  chooseWebhookSetupSignal,
  ONBOARDING_WORKFLOW,
  type OnboardingActivities,
  type OnboardingInput,
  type OnboardingState,
  onboardingStatusQuery,
  type StepResult,
  submitCredentialsSignal,
} from '../../../src/contracts/onboarding.ts';
import { extractionInput } from '../../support/extraction.ts';
import { createTestEnvironment, workflowBundle } from '../../support/temporal.ts';

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await createTestEnvironment();
});
afterAll(() => env.teardown());

const DONE: StepResult = { kind: 'done', evidence: [], notices: [] };

/** An onboarding in which every step gets through at once, but for what `activities` says. */
async function startOnboarding(name: string, activities: Partial<OnboardingActivities> = {}) {
  const taskQueue = `onboarding-${name}-${process.pid}`;
  const removals: Parameters<OnboardingActivities['removeTraces']>[0][] = [];
  const done = async () => DONE;
  const all: OnboardingActivities = {
    provision: done,
    checkDomain: done,
    checkToken: done,
    checkRoles: done,
    checkWebhook: done,
    checkProof: done,
    startExtraction: done,
    removeTraces: async (input) => {
      removals.push(input);
      return DONE;
    },
    recordOnboarding: async () => ({ before: null }),
    ...activities,
  };
  const worker = await Worker.create({
    connection: env.nativeConnection,
    namespace: env.namespace ?? 'default',
    taskQueue,
    workflowBundle: await workflowBundle(),
    maxHeartbeatThrottleInterval: 100,
    activities: { ...all },
  });
  const running = worker.run();
  const { tuning } = extractionInput(name);
  const input: OnboardingInput = {
    version: 1,
    tenantId: name,
    retentionDays: 4,
    webhookSetup: 'by_hand',
    startPaused: null,
    tuning: { retryMs: 1_000, retryMaxMs: 8_000, recheckMs: 900_000, proofLookMs: 60_000, continueAsNewAfter: 1_000 },
    extractionTuning: tuning,
  };
  const client = new Client({ connection: env.connection, namespace: env.namespace ?? 'default' });
  const handle = await client.workflow.start(ONBOARDING_WORKFLOW, { workflowId: taskQueue, taskQueue, args: [input] });
  onTestFinished(async () => {
    await handle.terminate().catch(() => undefined);
    worker.shutdown();
    await running;
  });
  const status = () => handle.query(onboardingStatusQuery);
  return {
    handle,
    removals,
    status,
    submit: (given: unknown) => handle.signal(submitCredentialsSignal.name, given),
    /** Waits for it. Only a cancelled onboarding has ended. */
    stateIs: (state: OnboardingState) =>
      vi.waitFor(
        async () => {
          const execution = (await handle.describe()).status.name;
          expect({ execution, state: (await status()).state }).toEqual({
            execution: state === 'cancelled' ? 'COMPLETED' : 'RUNNING',
            state,
          });
        },
        { timeout: 10_000, interval: 50 },
      ),
  };
}

test('the webhook setup changes and changes back while a check that was cut off hands over: it goes on', async () => {
  const mayEnd = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  const cutOff = Promise.withResolvers<void>();
  const checked: string[] = [];
  const { handle, status, submit, stateIs } = await startOnboarding('toggled', {
    /** The first one works until it is cancelled, and then takes its time. */
    checkWebhook: async ({ setup }) => {
      checked.push(setup);
      if (checked.length > 1) return DONE;
      began.resolve();
      const { cancellationSignal } = Context.current();
      cancellationSignal.addEventListener('abort', () => cutOff.resolve());
      const heartbeat = setInterval(() => Context.current().heartbeat(), 50);
      await mayEnd.promise;
      clearInterval(heartbeat);
      throw new CancelledFailure('handed over');
    },
  });
  await submit({ version: 1 });
  await began.promise;
  await handle.signal(chooseWebhookSetupSignal, 'create_for_me');
  await cutOff.promise;
  await handle.signal(chooseWebhookSetupSignal, 'by_hand');
  expect((await status()).webhookSetup).toBe('by_hand');
  mayEnd.resolve();
  await stateIs('done');
  expect(checked).toEqual(['by_hand', 'by_hand']);
});

test.each([
  ['numbers', { by: 5, reason: 7, discardWaitingEvents: 'yes' }],
  ['objects', { by: { replaceAll: 1 }, reason: [] }],
  ['a text', 'stop it'],
  ['null', null],
])('a cancel signal that brings %s cancels, in nobody’s name', async (name, given) => {
  const { handle, removals, stateIs } = await startOnboarding(`cancel-${name.replace(' ', '-')}`);
  await handle.signal(cancelSignal.name, given);
  await stateIs('cancelled');
  expect(removals).toMatchObject([
    { discardWaitingEvents: false, request: { by: 'somebody in Temporal', reason: 'no reason given' } },
  ]);
});

test('credentials that are none are ignored and counted, and the next ones are taken', async () => {
  const { submit, status, stateIs } = await startOnboarding('credentials');
  const none = [{}, null, 5, [], { version: '1' }, { version: 0.5 }, { version: 0 }, { version: null }];
  for (const garbage of none) await submit(garbage);
  await submit({ version: 1 });
  await stateIs('done');
  expect(await status()).toMatchObject({ credentialsVersion: 1, unknownSignals: none.length });
});

test('a webhook setup that is none is ignored', async () => {
  const { handle, status, submit, stateIs } = await startOnboarding('setup');
  for (const garbage of [null, 5, {}, ['by_hand'], 'BY_HAND'])
    await handle.signal(chooseWebhookSetupSignal.name, garbage);
  expect((await status()).webhookSetup).toBe('by_hand');
  await submit({ version: 1 });
  await stateIs('done');
});

test('an onboarding that somebody cancels in Temporal goes on, and the signal still takes back what was made', async () => {
  const { handle, removals, submit, stateIs } = await startOnboarding('cancelled-in-temporal');
  await submit({ version: 1 });
  await stateIs('done');
  await handle.cancel();
  await handle.signal(chooseWebhookSetupSignal, 'create_for_me');
  await stateIs('done');
  await handle.signal(cancelSignal, { by: 'ann', reason: 'left', discardWaitingEvents: true });
  await stateIs('cancelled');
  expect(removals).toMatchObject([{ discardWaitingEvents: true, request: { by: 'ann', reason: 'left' } }]);
});
