import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { expect, it, vi } from 'vitest';
import { replayFrom } from '../../../dev/replay/replay-from.ts';
import { EXTRACTION_WORKFLOW, extractionStatusQuery } from '../../../src/contracts/extraction.ts';
import { createDataConverter } from '../../../src/temporal/data-converter.ts';
import { extractionInput, PARKED } from '../../support/extraction.ts';
import { createTestEnvironment, workflowBundle } from '../../support/temporal.ts';
import { historyKeys } from './keys.ts';

it('open and closed histories of a cluster are replayed, and those that a commit does not fit are named', async () => {
  const env = await createTestEnvironment();
  const dataConverter = createDataConverter(historyKeys);
  const client = new Client({ connection: env.connection, namespace: env.namespace ?? 'default', dataConverter });
  const genuine = await workflowBundle();
  const worker = await Worker.create({
    connection: env.nativeConnection,
    namespace: env.namespace ?? 'default',
    taskQueue: 'replayed',
    workflowBundle: genuine,
    dataConverter,
    activities: {
      drain: async () => PARKED,
      recordExtraction: async () => ({ before: null }),
      orderStop: async () => undefined,
    },
  });
  await worker.runUntil(async () => {
    const handles = await Promise.all(
      ['open', 'closed'].map((workflowId) =>
        client.workflow.start(EXTRACTION_WORKFLOW, {
          workflowId,
          taskQueue: 'replayed',
          args: [extractionInput(workflowId)],
        }),
      ),
    );
    for (const handle of handles)
      await vi.waitFor(async () => expect((await handle.query(extractionStatusQuery)).phase).toBe('parked'), 10_000);
    await handles[1]?.terminate();
  });
  const replayed = async (bundle: { readonly code: string }) => {
    const options = { dataConverter, workflowBundle: bundle, types: [EXTRACTION_WORKFLOW], newest: 5 };
    const found: [string, boolean][] = [];
    for await (const { workflowId, error } of replayFrom(client, options)) found.push([workflowId, error === null]);
    return found.sort();
  };
  const both = (fits: boolean) => [
    ['closed', fits],
    ['open', fits],
  ];
  await vi.waitFor(async () => expect(await replayed(genuine)).toEqual(both(true)), 20_000);
  const workflowsPath = join(import.meta.dirname, 'broken-twin.ts');
  const broken = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
  expect(await replayed(broken)).toEqual(both(false));
  await env.teardown();
}, 90_000);
