import { Context } from '@temporalio/activity';
import { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type DrainResult,
  EXTRACTION_WORKFLOW,
  extractionStatusQuery,
  pauseSignal,
  resumeSignal,
} from '../../../src/contracts/extraction.ts';
import { extractionInput, PARKED } from '../../support/extraction.ts';
import { createTestEnvironment, workflowBundle } from '../../support/temporal.ts';

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await createTestEnvironment();
});
afterAll(() => env?.teardown());

const STOPPED: DrainResult = { ...PARKED, end: { kind: 'stopped' } };

/** Each case: the signals that the workflow finds all at once after its worker was away, and how the tenant must be then. */
test.each([
  ['paused and resumed', [pauseSignal, resumeSignal], 'parked'],
  ['paused, resumed and paused', [pauseSignal, resumeSignal, pauseSignal], 'paused'],
] as const)(
  '%s while no worker is there for workflows, in the middle of a drain',
  { timeout: 60_000 },
  async (_, signals, phase) => {
    const taskQueue = `one-task-${signals.length}-${process.pid}`;
    const shared = { connection: env.nativeConnection, namespace: env.namespace ?? 'default', taskQueue };
    let drains = 0;
    const began = Promise.withResolvers<void>();
    const mayEnd = Promise.withResolvers<void>();
    const hands = await Worker.create({
      ...shared,
      maxHeartbeatThrottleInterval: 100,
      activities: {
        /** The first one works until it is told, or asked to stop. */
        drain: async (): Promise<DrainResult> => {
          drains += 1;
          if (drains > 1) return PARKED;
          began.resolve();
          const { cancellationSignal } = Context.current();
          const heartbeat = setInterval(() => Context.current().heartbeat(), 50);
          const stopped = new Promise<void>((resolve) => {
            cancellationSignal.addEventListener('abort', () => resolve());
          });
          await Promise.race([mayEnd.promise, stopped]);
          clearInterval(heartbeat);
          return cancellationSignal.aborted ? STOPPED : PARKED;
        },
      },
    });
    const bundle = await workflowBundle();
    const mind = () =>
      Worker.create({
        ...shared,
        workflowBundle: bundle,
        activities: { recordExtraction: async () => ({ before: null }), orderStop: async () => undefined },
        enableNonLocalActivities: false,
      });
    const client = new Client({ connection: env.connection, namespace: env.namespace ?? 'default' });
    await hands.runUntil(async () => {
      const handle = await (await mind()).runUntil(async () => {
        const started = await client.workflow.start(EXTRACTION_WORKFLOW, {
          workflowId: taskQueue,
          taskQueue,
          args: [extractionInput('one-task')],
        });
        await began.promise;
        return started;
      });
      for (const signal of signals) await handle.signal(signal, { by: 'ann', reason: 'in one breath' });
      await (await mind()).runUntil(async () => {
        const phaseNow = async () => (await handle.query(extractionStatusQuery)).phase;
        // A pause that holds stops the drain by itself; after a resume it goes on, and ends when it is done.
        if (phase === 'parked') mayEnd.resolve();
        await expect.poll(phaseNow, { timeout: 20_000, interval: 50 }).toBe(phase);
      });
      expect((await handle.describe()).status.name).toBe('RUNNING');
      await handle.terminate();
    });
  },
);
