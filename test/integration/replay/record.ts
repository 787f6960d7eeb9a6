/**
 * `node test/integration/replay/record.ts`: plays the scenarios in a world as `npm start` runs it and stores the histories that Temporal kept.
 * Run it when a workflow's commands were changed on purpose, behind a patch: the old histories stay, new ones are added beside them.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { z } from 'zod';
import { World } from '../../../bench/support/world.ts';
import { HISTORY_KEYS } from './keys.ts';

const FOLDER = join(import.meta.dirname, 'histories');

const world = await World.start({ SECRET_KEYS: HISTORY_KEYS, CONTINUE_AS_NEW_AFTER: '90', PARK_AFTER_MS: '500' });
const demo = world.pipeline();
const connection = await Connection.connect({ address: world.temporalAddress });
const client = new Client({ connection });
mkdirSync(FOLDER, { recursive: true });

async function store(scenario: string, workflowId: string, runId?: string): Promise<void> {
  const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  writeFileSync(join(FOLDER, `${scenario}.json`), `${JSON.stringify(JSON.parse(historyToJSON(history)), null, 1)}\n`);
  process.stdout.write(`${scenario}: ${history.events?.length ?? 0} events\n`);
}

async function runsOf(workflowId: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { runId } of client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) found.push(runId);
  return found.reverse();
}

await demo.when('connected', ({ onboarding }) => onboarding?.state === 'done');
await store('onboarding-straight', 'onboarding/demo');

// A tenant whose token is wrong at first, whose Gladly fails for a while, and who is disconnected in the end.
const other = world.pipeline('other');
await other.ask('POST', '/v1/tenants', { tenantId: 'other', name: 'Other', webhookSetup: 'create_for_me' });
const simulator = new URL(world.places().simulator);
const users = z.object({ users: z.array(z.object({ id: z.string(), roles: z.array(z.string()) })) });
const user = (await demo.control('GET', '/simulator/users', undefined, users)).users.find(
  ({ roles }) => roles.length === 3,
);
const token = await demo.control(
  'POST',
  `/simulator/users/${user?.id}/tokens`,
  {},
  z.object({ email: z.string(), apiToken: z.string() }),
);
const submit = (apiToken: string) =>
  other.ask('PUT', '/v1/tenants/other/credentials', { domain: simulator.host, email: token.email, apiToken });
await submit('wrong');
await other.when('needs a person', (status) => JSON.stringify(status.onboarding).includes('"needs_you"'));
await demo.control('POST', '/simulator/faults', { times: 3, status: 503 }, z.unknown());
await submit(token.apiToken);
await other.when('connected', ({ onboarding }) => onboarding?.state === 'done');
await other.ask('DELETE', '/v1/tenants/other', { reason: 'end', discardWaitingEvents: true });
await other.when('disconnected', ({ connection: state }) => state === 'disconnected');
for (const [i, runId] of (await runsOf('onboarding/other')).entries()) {
  await store(`onboarding-with-faults-${i + 1}`, 'onboarding/other', runId);
}
await store('extraction-disconnected', 'extraction/other');

// Paused in the middle of a drain and resumed, an outage of Gladly, a rejected token, parked and woken, over continue-as-new.
await demo.emit(60);
await demo.when('some', ({ events }) => events.extracted >= 20);
await demo.ask('POST', '/v1/tenants/demo/pause', { reason: 'recording' });
await demo.when('paused', ({ extraction }) => extraction?.state === 'paused');
await demo.ask('POST', '/v1/tenants/demo/resume', {});
await demo.when('all', ({ events }) => events.waiting === 0 && events.inQueue === 0);
await demo.when('parked', ({ extraction }) => extraction?.state === 'parked');
await demo.control('POST', '/simulator/faults', { path: '/api/v1/**', forMs: 8_000, status: 503 }, z.unknown());
await demo.emit(5);
await demo.when('waiting for Gladly', ({ extraction }) => extraction?.state === 'waiting_for_gladly');
await demo.when(
  'caught up',
  ({ events, extraction }) => events.waiting === 0 && extraction?.state === 'parked',
  90_000,
);
for (let i = 0; i < 6; i += 1) {
  await demo.emit(2);
  await demo.when(
    'parked again',
    ({ events, extraction }) => events.waiting === 0 && events.inQueue === 0 && extraction?.state === 'parked',
  );
}
const runs = await runsOf('extraction/demo');
for (const [i, runId] of runs.slice(0, 3).entries()) await store(`extraction-run-${i + 1}`, 'extraction/demo', runId);
await client.schedule.getHandle('sweep').trigger();
const sweeps = "WorkflowType = 'sweep' AND ExecutionStatus = 'Completed'";
let swept: string | undefined;
while (swept === undefined) {
  for await (const { workflowId } of client.workflow.list({ query: sweeps })) swept ??= workflowId;
  await sleep(200);
}
await store('sweep', swept);

await connection.close();
await world.end();
