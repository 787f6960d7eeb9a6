import { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type DrainResult,
  EXTRACTION_WORKFLOW,
  extractionStatusQuery,
  wakeSignal,
} from '../../../src/contracts/extraction.ts';
import { SEARCH_ATTRIBUTES } from '../../../src/contracts/search-attributes.ts';
import { extractionInput, PARKED } from '../../support/extraction.ts';
import { createTestEnvironment, workflowBundle } from '../../support/temporal.ts';

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await createTestEnvironment();
});
afterAll(() => env?.teardown());

test('a tenant that is woken and parks again writes no search attributes: each write of them costs Temporal its slowest transaction', {
  timeout: 60_000,
}, async () => {
  const taskQueue = `wake-history-${process.pid}`;
  let drains = 0;
  const worker = await Worker.create({
    connection: env.nativeConnection,
    namespace: env.namespace ?? 'default',
    taskQueue,
    workflowBundle: await workflowBundle(),
    activities: {
      recordExtraction: async () => ({ before: null }),
      orderStop: async () => undefined,
      drain: async (): Promise<DrainResult> => {
        drains += 1;
        return PARKED;
      },
    },
  });
  const client = new Client({ connection: env.connection, namespace: env.namespace ?? 'default' });
  const handle = await client.workflow.start(EXTRACTION_WORKFLOW, {
    workflowId: taskQueue,
    taskQueue,
    args: [extractionInput('wake-history')],
  });
  const parkedAfter = (count: number): Promise<void> =>
    expect
      .poll(async () => [drains, (await handle.query(extractionStatusQuery)).phase], { timeout: 20_000, interval: 50 })
      .toEqual([count, 'parked']);
  await worker.runUntil(async () => {
    await parkedAfter(1);
    for (const count of [2, 3, 4]) {
      await handle.signal(wakeSignal);
      await parkedAfter(count);
    }
    const { events } = await handle.fetchHistory();
    // The one at the start, which says that it runs.
    expect(events?.filter((event) => event.upsertWorkflowSearchAttributesEventAttributes)).toHaveLength(1);
    expect((await handle.describe()).typedSearchAttributes.get(SEARCH_ATTRIBUTES.state)).toBe('running');
    await handle.terminate();
  });
});
