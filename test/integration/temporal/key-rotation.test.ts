import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Client } from '@temporalio/client';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { readConfig } from '../../../src/config.ts';
import { extractionStatusQuery, pauseSignal } from '../../../src/contracts/extraction.ts';
import { extractionWorkflowId } from '../../../src/contracts/tenant.ts';
import { startApi } from '../../../src/roles/api.ts';
import { putCredentials } from '../../../src/store/credentials.ts';
import { createSecretBox } from '../../../src/store/secret-box.ts';
import { createDataConverter } from '../../../src/temporal/data-converter.ts';
import { TenantWorkflows } from '../../../src/tenants/workflows.ts';
import { extractionInput } from '../../support/extraction.ts';
import { freePort } from '../../support/free-port.ts';
import { startGladly, type TestGladly } from '../../support/onboarding/gladly.ts';
import { type Killable, startWorkerProcess } from '../../support/onboarding/processes.ts';
import { createTenant, credentialsOf, type TestTenant } from '../../support/onboarding/tenant.ts';
import { startWorld, type World } from '../../support/onboarding/world.ts';
import { workflowBundle } from '../../support/temporal.ts';

const MAIN = new URL('../../../src/main.ts', import.meta.url).pathname;
const secret = (id: string) => ({ id, key: randomBytes(32).toString('base64') });
type Secret = ReturnType<typeof secret>;
const [k0, k1, k2] = [secret('k0'), secret('k1'), secret('k2')];
const asVariable = (keys: readonly Secret[]): string => keys.map(({ id, key }) => `${id}:${key}`).join(',');

const line = z.object({
  id: z.string(),
  is: z.enum(['first', 'older', 'missing']),
  workflows: z.number(),
  rows: z.number(),
  tenants: z.number(),
  mayGo: z.boolean(),
  neededBy: z.array(z.string()),
});
const output = z.object({
  keys: z.array(line),
  damaged: z.array(z.string()),
  renewal: z
    .object({
      asked: z.number(),
      waiting: z.array(z.string()),
      underOther: z.array(z.string()),
      resealed: z.number().nullable(),
    })
    .nullable(),
  needsPerson: z.boolean(),
});

let world: World;
let gladlies: TestGladly[];
let worker: Killable | null = null;
beforeAll(async () => {
  gladlies = await Promise.all(Array.from({ length: 5 }, () => startGladly()));
  // Without sweeps in between the workflows can be counted.
  const quick = { PARK_AFTER_MS: '500', SETTLE_MS: '100', DRAIN_BUDGET_MS: '3000', SWEEP_MS: '86400000' };
  const env = { ...quick, SECRET_KEYS: asVariable([k1]) };
  world = await startWorld({ gladlyHosts: gladlies.map(({ host }) => host), env, worker: false });
  await workflowBundle();
});
afterAll(async () => {
  await worker?.kill();
  await world?.close();
  await Promise.all(gladlies.map((gladly) => gladly.close()));
});

/** The one worker that there is, a process, with these keys from now on. */
async function work(...keys: Secret[]): Promise<void> {
  await worker?.kill();
  const bundle = { WORKFLOW_BUNDLE: `${inject('sharedFolder')}/workflows.js` };
  worker = await startWorkerProcess({ ...world.variables, ...bundle, SECRET_KEYS: asVariable(keys) }, []);
}

/** `node src/main.ts keys`, as an operator runs it. */
const run = (keys: readonly Secret[], ...args: string[]) => runWith({ SECRET_KEYS: asVariable(keys) }, ...args);

const runWith = (variables: Readonly<Record<string, string>>, ...args: string[]) =>
  new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const env = { ...process.env, ...world.variables, ...variables };
    execFile(process.execPath, [MAIN, 'keys', ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });

async function report(keys: readonly Secret[], ...args: string[]) {
  const { code, stdout, stderr } = await run(keys, '--json', ...args);
  if (stdout === '') throw new Error(stderr);
  return { code, ...output.parse(JSON.parse(stdout)) };
}

const lineOf = (found: { readonly keys: readonly z.infer<typeof line>[] }, id: string) =>
  found.keys.find((key) => key.id === id);

/** Lists of Temporal lag a moment behind; a task that has failed is tried again after 10 s, then later and later. */
const LATER = { timeout: 120_000, interval: 1_000 };

const extracted = (count: number) => (status: { readonly events: { readonly extracted: number } }) =>
  status.events.extracted >= count;

it('after --renew the older key is needed no more, and a worker that does not have it goes on with every tenant', async () => {
  await work(k1);
  const [parked, paused, running, needing] = gladlies;
  if (!parked || !paused || !running || !needing) throw new Error('There are too few organizations.');
  const connect = async (gladly: TestGladly): Promise<TestTenant> => {
    const tenant = await createTenant(world, { webhookSetup: 'create_for_me' });
    await tenant.give(credentialsOf(gladly));
    return tenant;
  };
  await needing.setRoles([]);
  const [ofParked, ofPaused, ofRunning, ofNeeding] = await Promise.all([
    connect(parked),
    connect(paused),
    connect(running),
    connect(needing),
  ]);
  const emit = (gladly: TestGladly, count: number, more: object = {}) =>
    gladly.control('POST', '/emit', { count, onlySubscribed: true, ...more });
  for (const tenant of [ofParked, ofPaused, ofRunning])
    await tenant.until(({ onboarding, extraction }) => onboarding.state === 'done' && extraction !== null);
  await ofNeeding.until(({ onboarding }) => onboarding.problem?.code === 'api_user_role_missing');
  await world.api('POST', `/v1/tenants/${ofPaused.id}/pause`, { reason: 'they asked' });
  await ofPaused.until(({ extraction }) => extraction?.state === 'paused');
  await emit(parked, 1);
  await ofParked.until(extracted(1));
  await emit(paused, 2);
  // Slow enough to be at it all the while.
  await running.fault({ path: '/api/v1/conversations/**', method: 'GET', delayMs: 400 });
  await emit(running, 5_000, { ratePerSecond: 10, wait: false });
  await ofRunning.until(extracted(1));

  // The command knows the new key, and the worker does not yet: nothing may be sealed so that the worker cannot open it.
  const early = await report([k2, k1], '--renew', '--wait', '120');
  expect(early).toMatchObject({ code: 1, needsPerson: true, renewal: { asked: 7, waiting: [], resealed: null } });
  expect(early.renewal?.underOther).toHaveLength(7);
  expect(lineOf(early, 'k1')).toMatchObject({ is: 'older', workflows: 7, rows: 4, tenants: 4, mayGo: false });

  await work(k2, k1);
  const before = await run([k2, k1]);
  expect(before.code).toBe(0);
  expect(before.stdout).toMatch(/^k1 +older +7 +4 +0 +4$/m);
  expect(before.stdout).toContain(`credentials 1 of ${ofNeeding.id}`);

  const renewed = await run([k2, k1], '--renew', '--wait', '120');
  expect(renewed.stdout.split('\n\n').at(-1)).not.toContain('Not yet');
  expect(renewed.stdout).toContain('Workflows that went over to k2: 7 of 7. Rows that did: 4.');
  expect(renewed.stdout).toMatch(/^k1 +older +0 +0 +0 +0$/m);
  expect(renewed.stdout).toContain('k1: nothing needs it. It may go');
  expect(renewed).toMatchObject({ code: 0, stderr: '' });
  await ofRunning.until(({ extraction }) => extraction?.state === 'running');

  await work(k2);
  const port = await freePort();
  const variables = { ...world.variables, SECRET_KEYS: asVariable([k2]), API_PORT: String(port) };
  const api = await startApi(readConfig(variables, 'api'), pino({ level: 'silent' }));
  const post = async (path: string, body: object) => {
    const [, key = ''] = (world.variables['OPERATOR_KEYS'] ?? '').split(':');
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify(body) };
    expect((await fetch(`http://127.0.0.1:${port}${path}`, init)).status).toBeLessThan(300);
  };
  try {
    await emit(parked, 1);
    await ofParked.until(extracted(2));
    expect(await ofPaused.status()).toMatchObject({ extraction: { state: 'paused', pause: { reason: 'they asked' } } });
    await post(`/v1/tenants/${ofPaused.id}/resume`, {});
    await ofPaused.until(extracted(2));
    const { events } = await ofRunning.status();
    await ofRunning.until(extracted(events.extracted + 5));
    await needing.setRoles(['API User', 'Agent', 'Administrator']);
    await post(`/v1/tenants/${ofNeeding.id}/recheck`, {});
    await ofNeeding.until(({ onboarding }) => onboarding.state === 'done');
    await emit(needing, 1);
    await ofNeeding.until(extracted(1));
    for (const tenant of [ofParked, ofPaused, ofRunning, ofNeeding]) {
      const { findings, problem } = z
        .object({ findings: z.array(z.unknown()), problem: z.string().nullable() })
        .parse(await world.api('GET', `/v1/tenants/${tenant.id}`));
      expect({ findings, problem }).toEqual({ findings: [], problem: null });
    }
    await expect
      .poll(async () => (await report([k2])).keys, LATER)
      .toMatchObject([{ id: 'k2', is: 'first', workflows: 8, rows: 4, tenants: 4 }]);
  } finally {
    api.stop();
    await api.ended;
  }
}, 400_000);

it('names what needs a key that is missing, with whom, and harms nothing else', async () => {
  await work(k2);
  const client = (...keys: Secret[]) =>
    new Client({
      connection: world.env.connection,
      namespace: world.env.namespace ?? 'default',
      dataConverter: createDataConverter(keys),
    });
  const gladly = gladlies[4];
  if (!gladly) throw new Error('There are too few organizations.');
  // Begun by a worker that is no more, with a key that is no more.
  await new TenantWorkflows(client(k0)).startExtraction(extractionInput('lost'));
  // Somebody has paused it in Temporal itself: it cannot begin a new history.
  await new TenantWorkflows(client(k2)).startExtraction(extractionInput('stopped'));
  const stopped = { namespace: world.env.namespace ?? 'default', workflowId: extractionWorkflowId('stopped') };
  const handle = client(k2, k1).workflow.getHandle(stopped.workflowId);
  await expect.poll(async () => (await handle.query(extractionStatusQuery)).drains, LATER).toBeGreaterThan(0);
  await world.env.connection.workflowService.pauseWorkflowExecution({ ...stopped, reason: 'test' });
  await client(k1).workflow.getHandle(stopped.workflowId).signal(pauseSignal, { by: 'x', reason: 'x' });
  const tenant = await createTenant(world, {});
  await putCredentials(world.db, createSecretBox([k0]), tenant.id, {
    host: gladly.host,
    email: gladly.email,
    apiToken: gladly.apiToken,
  });
  const sealed = async () =>
    (await world.db.query('SELECT sealed FROM credentials WHERE tenant_id = $1', [tenant.id])).rows;
  const before = await sealed();
  // A signal of a stranger's, which is ignored: its history needs it no more once it is a new one.
  await new TenantWorkflows(client(k2)).startExtraction(extractionInput('healthy'));
  await client(k0).workflow.getHandle(extractionWorkflowId('healthy')).signal(pauseSignal, { by: 'x', reason: 'x' });
  // Made by the world's API, which still has k1 alone: its onboarding needs that key.
  await expect
    .poll(async () => lineOf(await report([k2, k1]), 'k0')?.neededBy, LATER)
    .toEqual([`credentials 1 of ${tenant.id}`, 'extraction/healthy', 'extraction/lost']);

  await work(k2, k1);
  const after = await report([k2, k1], '--renew', '--wait', '5');
  expect(after).toMatchObject({ code: 1, needsPerson: true, damaged: [] });
  expect(after.renewal?.waiting).toEqual(expect.arrayContaining(['extraction/lost', 'extraction/stopped']));
  // Whatever else stood still without k1 goes over once Temporal tries it again.
  await expect
    .poll(async () => (await report([k2, k1])).keys.map(({ id, is, neededBy }) => [id, is, neededBy]), LATER)
    .toEqual([
      ['k2', 'first', []],
      ['k1', 'older', ['extraction/stopped']],
      ['k0', 'missing', [`credentials 1 of ${tenant.id}`, 'extraction/lost']],
    ]);
  expect(await sealed()).toEqual(before);
  const text = await run([k2, k1]);
  expect(text.code).toBe(1);
  expect(text.stdout).toContain('k0: SECRET_KEYS does not hold it');

  // Unpaused, it goes over by itself: the signal has waited there.
  await world.env.connection.workflowService.unpauseWorkflowExecution({ ...stopped, reason: 'test' });
  await expect.poll(async () => lineOf(await report([k2, k1]), 'k1')?.mayGo, LATER).toBe(true);
  // With the key back, all of it goes over.
  await work(k2, k1, k0);
  expect((await report([k2, k1, k0], '--renew', '--wait', '5')).renewal).toMatchObject({ underOther: [], resealed: 1 });
  await expect
    .poll(async () => (await report([k2, k1, k0])).keys.map(({ mayGo }) => mayGo), LATER)
    .toEqual([false, true, true]);
  expect(await report([k2, k1, k0], '--renew')).toMatchObject({ code: 0, renewal: { asked: 0 }, needsPerson: false });
}, 400_000);

it('says what it could not do, and with what it is called, with another exit code', async () => {
  const unknown = await run([k2], '--renwe');
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain('Usage: npm run keys');
  const nowhere = await runWith({ TEMPORAL_ADDRESS: '127.0.0.1:1' });
  expect(nowhere).toMatchObject({ code: 2, stderr: 'keys: Temporal does not answer at 127.0.0.1:1\n' });
  const noPostgres = await runWith({ DATABASE_URL: 'postgres://127.0.0.1:1/none' });
  expect(noPostgres).toMatchObject({ code: 2, stderr: expect.stringMatching(/^keys: .*Postgres/) });
}, 60_000);
