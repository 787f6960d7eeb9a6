import { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ensureSweep } from '../../../src/activities/sweep/schedule.ts';
import { SWEEP_ID } from '../../../src/contracts/sweep.ts';
import { createTestEnvironment } from '../../support/temporal.ts';

let env: TestWorkflowEnvironment;
let client: Client;
beforeAll(async () => {
  env = await createTestEnvironment();
  client = new Client({ connection: env.connection, namespace: env.namespace ?? 'default' });
});
afterAll(() => env.teardown());

const sweep = () => client.schedule.getHandle(SWEEP_ID);
const FIVE_MINUTES = 300_000;

it('the Schedule of the sweep is made, keeps to what is configured now, and no run of it lasts for ever', async () => {
  expect(await ensureSweep(client, FIVE_MINUTES)).toBe(false);
  // As an earlier release made it.
  await sweep().update(({ action: { workflowRunTimeout: _, ...action }, ...schedule }) => ({ ...schedule, action }));
  expect(await ensureSweep(client, 60_000)).toBe(false);
  const { spec, action } = await sweep().describe();
  expect(spec.intervals).toMatchObject([{ every: 60_000 }]);
  expect(action).toMatchObject({ workflowRunTimeout: 1_200_000 });
});

it('one that was paused stays paused, and is told of; one that was deleted is there again', async () => {
  await ensureSweep(client, FIVE_MINUTES);
  // Until the server shows the change, the next look would make it again, with the state of before.
  await vi.waitFor(async () => expect((await sweep().describe()).spec.intervals?.[0]?.every).toBe(FIVE_MINUTES));
  await sweep().pause('somebody');
  await vi.waitFor(async () => expect(await ensureSweep(client, FIVE_MINUTES)).toBe(true));
  await sweep().delete();
  await vi.waitFor(async () => expect(await ensureSweep(client, FIVE_MINUTES)).toBe(false));
  expect((await sweep().describe()).state.paused).toBe(false);
});
