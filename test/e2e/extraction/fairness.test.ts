import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGladly, type TestGladly } from '../../support/onboarding/gladly.ts';
import { createTenant, credentialsOf, type TestTenant } from '../../support/onboarding/tenant.ts';
import { startWorld, type World } from '../../support/onboarding/world.ts';

/** At 7 requests a second, a minute of work. */
const BACKLOG = 200;

let world: World;
let gladlies: TestGladly[] = [];

beforeAll(async () => {
  gladlies = await Promise.all(Array.from({ length: 3 }, () => startGladly()));
  const env = { DRAIN_SLOTS: '2', DRAIN_BUDGET_MS: '60000', DRAIN_CROWDED_BUDGET_MS: '1000' };
  world = await startWorld({ gladlyHosts: gladlies.map(({ host }) => host), env });
});
afterAll(async () => {
  await world?.close();
  await Promise.all(gladlies.map((gladly) => gladly.close()));
});

async function connected(gladly: TestGladly | undefined): Promise<{ gladly: TestGladly; tenant: TestTenant }> {
  if (!gladly) throw new Error('There are too few organizations.');
  const tenant = await createTenant(world, { webhookSetup: 'create_for_me' });
  await tenant.give(credentialsOf(gladly));
  await tenant.until(({ onboarding }) => onboarding.state === 'done');
  return { gladly, tenant };
}

const change = (gladly: TestGladly, count: number, conversations: number) =>
  gladly.control('POST', '/emit', { count, conversations, onlySubscribed: true });

test('a tenant whose event has just come gets its turn soon, though backlogs hold every slot', {
  timeout: 90_000,
}, async () => {
  const busy = [await connected(gladlies[0]), await connected(gladlies[1])];
  const quiet = await connected(gladlies[2]);
  await quiet.tenant.until(({ extraction }) => extraction?.state === 'parked');
  for (const { gladly } of busy) await change(gladly, BACKLOG, BACKLOG);
  for (const { tenant } of busy) await tenant.until(({ events }) => events.extracted > 0);
  await change(quiet.gladly, 1, 1);
  await quiet.tenant.until(({ events }) => events.extracted === 1, 15_000);
  // Otherwise it would have had its turn anyway.
  for (const { tenant } of busy) expect((await tenant.status()).events.extracted).toBeLessThan(BACKLOG);
});
