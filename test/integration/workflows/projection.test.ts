import { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import {
  type DrainResult,
  EXTRACTION_WORKFLOW,
  type ExtractionView,
  pauseSignal,
  resumeSignal,
  wakeSignal,
} from '../../../src/contracts/extraction.ts';
import type { Projection } from '../../../src/contracts/projection.ts';
import { EXTRACTION_TASK_QUEUE, extractionWorkflowId } from '../../../src/contracts/tenant.ts';
import { extractionInput, PARKED } from '../../support/extraction.ts';
import { createTestEnvironment, workflowBundle } from '../../support/temporal.ts';

const SOON = { timeout: 20_000 };

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await createTestEnvironment();
});
afterAll(() => env.teardown());

/** An extraction whose drains find nothing, and what it writes of itself. `fails`: so many writes fail first. */
async function startExtraction(tenantId: string, { fails = 0, ...input }: { fails?: number; pause?: object } = {}) {
  const written: Projection<ExtractionView>[] = [];
  let left = fails;
  const worker = await Worker.create({
    connection: env.nativeConnection,
    namespace: env.namespace ?? 'default',
    taskQueue: EXTRACTION_TASK_QUEUE,
    workflowBundle: await workflowBundle(),
    activities: {
      drain: async (): Promise<DrainResult> => PARKED,
      recordExtraction: async (projection: Projection<ExtractionView>) => {
        left -= 1;
        if (left >= 0) throw new Error('Postgres is out');
        written.push(projection);
        return { before: null };
      },
    },
  });
  const running = worker.run();
  const client = new Client({ connection: env.connection, namespace: env.namespace ?? 'default' });
  const handle = await client.workflow.start(EXTRACTION_WORKFLOW, {
    workflowId: extractionWorkflowId(tenantId),
    taskQueue: EXTRACTION_TASK_QUEUE,
    args: [{ ...extractionInput(tenantId), ...input }],
  });
  onTestFinished(async () => {
    await handle.terminate();
    worker.shutdown();
    await running;
  });
  return { handle, written, phases: () => written.map(({ view }) => view.phase) };
}

test('a pause and its end are written, parking and waking are not', async () => {
  const { handle, written, phases } = await startExtraction('shown');
  await vi.waitFor(() => expect(phases()).toEqual(['running']), SOON);
  for (let n = 0; n < 3; n += 1) await handle.signal(wakeSignal);
  await handle.signal(pauseSignal, { by: 'ann', reason: 'moving' });
  await vi.waitFor(() => expect(phases().at(-1)).toBe('paused'), SOON);
  await handle.signal(resumeSignal, { by: 'ann' });
  await vi.waitFor(() => expect(phases().at(-1)).toBe('running'), SOON);
  expect(phases().filter((phase) => phase !== 'pausing')).toEqual(['running', 'paused', 'running']);
  expect(written.find(({ view }) => view.phase === 'paused')?.view.pause).toMatchObject({
    by: 'ann',
    reason: 'moving',
  });
  expect(written.map(({ seq }) => seq)).toEqual(written.map((_, i) => i + 1));
  expect(written.map(({ isTold }) => isTold)).toEqual(written.map((_, i) => i > 0));
});

test('one that is started anew says since when it was paused, and by whom', async () => {
  const pause = { by: 'ann', reason: 'moving', at: '2026-01-01T00:00:00.000Z' };
  const { written } = await startExtraction('anew', { pause });
  await vi.waitFor(() => expect(written[0]?.view).toMatchObject({ phase: 'paused', since: pause.at, pause }), SOON);
});

test('a write that fails is repeated, and keeps no signal waiting', async () => {
  const { handle, phases } = await startExtraction('stubborn', { fails: 3 });
  await handle.signal(pauseSignal, { by: 'ann', reason: 'moving' });
  await vi.waitFor(() => expect(phases()).toEqual(['paused']), SOON);
});
