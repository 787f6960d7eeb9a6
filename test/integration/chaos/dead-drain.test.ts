import { Client, type WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type DrainResult,
  EXTRACTION_WORKFLOW,
  type ExtractionStatus,
  extractionStatusQuery,
  pauseSignal,
  resumeSignal,
} from '../../../src/contracts/extraction.ts';
import { extractionInput, PARKED } from '../../support/extraction.ts';
import { createTestEnvironment, workflowBundle } from '../../support/temporal.ts';

/** Found by `npm run chaos -- --seed first`: the extraction failed for good, and its tenant with it. */
let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await createTestEnvironment();
});
afterAll(() => env?.teardown());

test('paused and resumed while the worker of its drain is dead: the extraction goes on with another drain', {
  timeout: 60_000,
}, async () => {
  const taskQueue = `dead-drain-${process.pid}`;
  let drains = 0;
  const began = Promise.withResolvers<void>();
  const worker = await Worker.create({
    connection: env.nativeConnection,
    namespace: env.namespace ?? 'default',
    taskQueue,
    workflowBundle: await workflowBundle(),
    // The activity below stays for as long as the worker lives, as a process that hangs would.
    shutdownGraceTime: 0,
    shutdownForceTime: '100 milliseconds',
    activities: {
      /** The first one neither heartbeats nor hears: its heartbeat times out, and Temporal tries nothing again that was to stop. */
      recordExtraction: async () => ({ before: null }),
      orderStop: async () => undefined,
      drain: async (): Promise<DrainResult> => {
        drains += 1;
        if (drains > 1) return PARKED;
        began.resolve();
        return new Promise(() => undefined);
      },
    },
  });
  const client = new Client({ connection: env.connection, namespace: env.namespace ?? 'default' });
  const running = worker.run();
  const handle = await client.workflow.start(EXTRACTION_WORKFLOW, {
    workflowId: taskQueue,
    taskQueue,
    args: [extractionInput('dead-drain')],
  });
  await began.promise;
  await handle.signal(pauseSignal, { by: 'ann', reason: 'maintenance' });
  await phaseIs(handle, 'pausing');
  await handle.signal(resumeSignal, { by: 'ann', reason: 'done' });
  await phaseIs(handle, 'parked');
  expect(drains).toBe(2);
  expect((await handle.describe()).status.name).toBe('RUNNING');
  await handle.terminate();
  worker.shutdown();
  // It ends by force: the first drain never does.
  await running.catch(() => undefined);
});

/** A heartbeat timeout of 10 s and a retry are in it. */
function phaseIs(handle: WorkflowHandle, phase: ExtractionStatus['phase']): Promise<void> {
  return expect
    .poll(async () => (await handle.query(extractionStatusQuery)).phase, { timeout: 30_000, interval: 100 })
    .toBe(phase);
}
