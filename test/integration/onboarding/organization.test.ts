import { afterAll, beforeAll, expect, it } from 'vitest';
import { getTenant } from '../../../src/store/tenants.ts';
import { startGladly, type TestGladly } from '../../support/onboarding/gladly.ts';
import { createTenant, credentialsOf, stepIn } from '../../support/onboarding/tenant.ts';
import { startWorld, type World } from '../../support/onboarding/world.ts';

let world: World;
let ours: TestGladly;
let other: TestGladly;
beforeAll(async () => {
  [ours, other] = await Promise.all([startGladly(), startGladly()]);
  world = await startWorld({ gladlyHosts: [ours.host, other.host] });
});
afterAll(async () => {
  await world?.close();
  await Promise.all([ours, other].map((gladly) => gladly?.close()));
});

it('another organization is not taken over because Gladly does not say which it is; the same address still is', async () => {
  const tenant = await createTenant(world, { webhookSetup: 'create_for_me' });
  await tenant.give(credentialsOf(ours));
  await tenant.until(({ onboarding }) => onboarding.state === 'done');
  await other.fault({ path: '/api/v1/organization', status: 403 });
  await tenant.give(credentialsOf(other));
  const asked = await tenant.until((status) => stepIn(status, 'domain').state === 'needs_you');
  expect(stepIn(asked, 'domain').problem?.code).toBe('organization_not_certain');
  expect(await getTenant(world.db, tenant.id)).toMatchObject({ adoptedCredentialsVersion: 1 });
  expect(asked.extraction?.problem).toBeNull();

  await ours.fault({ path: '/api/v1/organization', status: 403 });
  await tenant.give(credentialsOf(ours));
  await tenant.until((status) => stepIn(status, 'domain').state === 'done');
}, 90_000);
