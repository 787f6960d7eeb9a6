import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGladly, type TestGladly } from '../../support/onboarding/gladly.ts';
import { type Killable, startWorkerProcess } from '../../support/onboarding/processes.ts';
import { createTenant, credentialsOf } from '../../support/onboarding/tenant.ts';
import { startWorld, type World } from '../../support/onboarding/world.ts';

const TENANTS = 8;
const WORKERS = 3;
const EVENTS = 60;

let world: World;
let gladly: TestGladly;
let workers: readonly Killable[] = [];

beforeAll(async () => {
  gladly = await startGladly();
  world = await startWorld({ gladlyHosts: [gladly.host], worker: false });
  workers = await Promise.all(Array.from({ length: WORKERS }, () => startWorkerProcess(world.variables, world.log)));
}, 90_000);
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.kill()));
  await world?.close();
  await gladly?.close();
});

interface CallReport {
  readonly refused: number;
}

it('8 tenants of one organization are connected at once and extracted from at once by three workers, without a 429', async () => {
  await gladly.control('PATCH', '/settings', { quotaPerSecond: 10 });
  const mark = async () => (await gladly.control('POST', '/calls/mark', {})) as CallReport;
  const tenants = await Promise.all(
    Array.from({ length: TENANTS }, () => createTenant(world, { webhookSetup: 'create_for_me' })),
  );
  await mark();
  await Promise.all(tenants.map((tenant) => tenant.give(credentialsOf(gladly))));
  const connecting = Promise.all(
    tenants.map((tenant) => tenant.until(({ extraction }) => extraction !== null, 120_000)),
  );
  await sleep(2_000);
  const first = await mark();
  await connecting;
  const onboarding = await mark();
  // Each tenant gets all of them.
  await gladly.control('POST', '/emit', { count: EVENTS, onlySubscribed: true });
  await Promise.all(tenants.map((tenant) => tenant.until(({ events }) => events.extracted >= EVENTS, 120_000)));
  const extracting = await mark();
  const { rows } = await world.db.query('SELECT DISTINCT worker FROM quota_claims');
  expect(rows.length).toBeGreaterThanOrEqual(2);
  expect([first.refused, onboarding.refused, extracting.refused]).toEqual([0, 0, 0]);
}, 300_000);
