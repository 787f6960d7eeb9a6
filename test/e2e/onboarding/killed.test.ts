import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListQueuesCommand } from '@aws-sdk/client-sqs';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { StepName } from '../../../src/contracts/onboarding.ts';
import { createSqsClients } from '../../../src/queue/client.ts';
import { liveWebhookKeys } from '../../../src/store/webhook-keys.ts';
import { freePort } from '../../support/free-port.ts';
import { type Gate, gateTo } from '../../support/onboarding/gate.ts';
import { startGladly, type TestGladly } from '../../support/onboarding/gladly.ts';
import { type Killable, startTemporalProcess, startWorkerProcess } from '../../support/onboarding/processes.ts';
import { findSecrets, tokensOf } from '../../support/onboarding/secrets.ts';
import { createTenant, credentialsOf, stepIn, type TestTenant } from '../../support/onboarding/tenant.ts';
import { startWorld, type World } from '../../support/onboarding/world.ts';

/** Where each tenant's step hangs when the worker is killed: an answer of Gladly's that takes its time. */
const HANGS: readonly { readonly step: StepName; readonly at: object }[] = [
  { step: 'domain', at: { path: '/api/v1/organization' } },
  { step: 'token', at: { path: '/api/v1/agents' } },
  { step: 'roles', at: { path: '/api/v1/reports' } },
  // The webhook is made after the worker has died: Gladly does not notice that nobody waits for the answer.
  { step: 'webhook', at: { method: 'POST', path: '/api/v1/webhooks' } },
];
const HANG = { delayMs: 5_000, times: 1 };

interface Scene {
  readonly step: StepName;
  readonly gladly: TestGladly;
  readonly tenant: TestTenant;
}

let folder: string;
let temporal: Killable;
let temporalPort: number;
let world: World;
let gate: Gate;
let organizations: readonly TestGladly[];
let variables: Readonly<Record<string, string>>;
let worker: Killable;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'killed-'));
  temporalPort = await freePort();
  temporal = await startTemporalProcess(temporalPort, join(folder, 'temporal.db'));
  organizations = await Promise.all([...HANGS, null].map(() => startGladly()));
  world = await startWorld({
    gladlyHosts: organizations.map((it) => it.host),
    worker: false,
    temporal: await TestWorkflowEnvironment.createFromExistingServer({ address: `127.0.0.1:${temporalPort}` }),
  });
  gate = await gateTo(world.sqsEndpoint);
  variables = { ...world.variables, SQS_ENDPOINT: gate.url };
  worker = await startWorkerProcess(variables, world.log);
});

afterAll(async () => {
  await worker?.kill();
  await world?.close();
  await gate?.end();
  await temporal?.kill();
  for (const gladly of organizations ?? []) await gladly.close();
  await rm(folder, { recursive: true, force: true });
});

it('a worker killed in each step, and Temporal with it, leave nothing twice', async () => {
  const scenes: Scene[] = [];
  for (const [n, { step, at }] of HANGS.entries()) {
    const gladly = organizations[n];
    if (!gladly) throw new Error('There are too few organizations.');
    await gladly.fault({ ...at, ...HANG });
    const tenant = await createTenant(world, { webhookSetup: 'create_for_me' });
    await tenant.until((it) => it.onboarding.step === 'credentials');
    scenes.push({ step, gladly, tenant });
  }
  gate.close();
  const gladly = organizations.at(-1);
  if (!gladly) throw new Error('There are too few organizations.');
  const provisioned = await createTenant(world, { webhookSetup: 'create_for_me' });
  scenes.push({ step: 'provision', gladly, tenant: provisioned });
  // The longest way first, so that all of them hang at the same time.
  for (const { step, gladly, tenant } of scenes.toReversed()) {
    await tenant.give(credentialsOf(gladly));
    if (step === 'webhook') await tenant.until((it) => stepIn(it, 'webhook').state === 'checking');
    if (step === 'roles') await tenant.until((it) => stepIn(it, 'roles').state === 'checking');
  }
  await Promise.all(
    scenes.map(({ step, tenant }) => tenant.until((it) => stepIn(it, step).state === 'checking', 5_000)),
  );

  await worker.kill();
  await temporal.kill();
  gate.open();
  temporal = await startTemporalProcess(temporalPort, join(folder, 'temporal.db'));
  worker = await startWorkerProcess(variables, world.log);

  for (const { gladly, tenant } of scenes) {
    const status = await tenant.until((it) => it.onboarding.state === 'done', 60_000);
    expect(status.onboarding.steps.map((it) => it.state)).toEqual(Array(8).fill('done'));
    expect(await gladly.webhooks()).toMatchObject([{ url: tenant.webhookUrl, enabled: true }]);
    expect(await liveWebhookKeys(world.db, tenant.id, new Date())).toHaveLength(1);
  }
  const sqs = createSqsClients({ region: 'us-east-1', endpoint: world.sqsEndpoint });
  const { QueueUrls = [] } = await sqs.control.send(new ListQueuesCommand({}));
  sqs.close();
  expect(QueueUrls).toHaveLength(2 * scenes.length);
  expect(await findSecrets(world, tokensOf(organizations))).toEqual([]);
}, 120_000);
