import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onboardingWorkflowId } from '../../../src/contracts/tenant.ts';
import { NINE_EVENTS } from '../../support/onboarding/faults/row.ts';
import { change, getSwitchedOff, saveByHand } from '../../support/onboarding/faults/webhook.ts';
import { startGladly, type TestGladly } from '../../support/onboarding/gladly.ts';
import { findSecrets, tokensOf } from '../../support/onboarding/secrets.ts';
import { createTenant, credentialsOf, type ShownStatus, stepIn } from '../../support/onboarding/tenant.ts';
import { startWorld, type World } from '../../support/onboarding/world.ts';

const ORGANIZATIONS = 16;
const FOR_ME = { webhookSetup: 'create_for_me' } as const;
const isDone = (it: ShownStatus): boolean => it.onboarding.state === 'done';

describe('an onboarding', { timeout: 90_000 }, () => {
  let world: World;
  let organizations: TestGladly[] = [];
  /** Each test has organizations of its own: they have a pace each. */
  const nextGladly = (): TestGladly => {
    const found = organizations[used++];
    if (!found) throw new Error('There are too few organizations.');
    return found;
  };
  let used = 0;

  beforeAll(async () => {
    organizations = await Promise.all(Array.from({ length: ORGANIZATIONS }, () => startGladly()));
    // Looks again by itself every half second, where a customer has 15 min.
    const env = { ONBOARDING_RECHECK_MS: '500', PROOF_LOOK_MS: '500' };
    world = await startWorld({ gladlyHosts: organizations.map((it) => it.host), env });
  });
  afterAll(async () => {
    await world?.close();
    await Promise.all(organizations.map((it) => it.close()));
  });

  it.concurrent('drops a check that is under way when other credentials are given', async () => {
    const [silent, healthy] = [nextGladly(), nextGladly()];
    await silent.fault({ path: '/api/v1/organization', hang: true });
    const tenant = await createTenant(world, FOR_ME);
    await tenant.give(credentialsOf(silent));
    await tenant.until((it) => stepIn(it, 'domain').state === 'checking');
    const givenAt = Date.now();
    await tenant.give(credentialsOf(healthy));
    const status = await tenant.until(isDone);
    // The silent one would have been waited for 15 s.
    expect(Date.parse(stepIn(status, 'domain').since) - givenAt).toBeLessThan(10_000);
    expect(status.onboarding.credentialsVersion).toBe(2);
    expect(await healthy.webhooks()).toHaveLength(1);
  });

  it.concurrent('takes the later of two submissions at once', async () => {
    const gladly = nextGladly();
    const tenant = await createTenant(world, FOR_ME);
    await Promise.all([tenant.give(credentialsOf(gladly)), tenant.give(credentialsOf(gladly))]);
    const status = await tenant.until((it) => isDone(it) && it.onboarding.credentialsVersion === 2);
    expect(stepIn(status, 'token').state).toBe('done');
    expect(await gladly.webhooks()).toHaveLength(1);
  });

  it.concurrent('leaves the webhook of another tenant of the same organization alone, and does not speak of it', async () => {
    const gladly = nextGladly();
    const [first, second] = [await createTenant(world), await createTenant(world)];
    await first.give(credentialsOf(gladly));
    await saveByHand({ gladly, tenant: first });
    await first.until(isDone);
    await second.give(credentialsOf(gladly));
    const status = await second.until((it) => stepIn(it, 'webhook').state === 'needs_you');
    expect(stepIn(status, 'webhook').problem).toMatchObject({ code: 'webhook_missing' });
    expect(JSON.stringify(status.onboarding)).not.toContain(first.id);
  });

  it.concurrent('never mixes two organizations: the token of another one is refused, and extraction goes on with the first', async () => {
    const [first, other] = [nextGladly(), nextGladly()];
    const tenant = await createTenant(world, FOR_ME);
    await tenant.give(credentialsOf(first));
    await tenant.until(isDone);
    await tenant.give(credentialsOf(other));
    const status = await tenant.until((it) => stepIn(it, 'domain').state === 'needs_you');
    expect(stepIn(status, 'domain').problem).toMatchObject({ code: 'organization_changed' });
    expect(await other.webhooks()).toEqual([]);
    await tenant.give(credentialsOf(first));
    await tenant.until(isDone);
  });

  it.concurrent('looks again by itself at what a person has to mend', async () => {
    const gladly = nextGladly();
    await gladly.setRoles(['API User', 'Agent']);
    const tenant = await createTenant(world, FOR_ME);
    await tenant.give(credentialsOf(gladly));
    const stuck = await tenant.until((it) => stepIn(it, 'roles').attempts >= 2);
    expect(stepIn(stuck, 'roles').problem?.code).toBe('administrator_role_missing');
    await gladly.setRoles(['API User', 'Agent', 'Administrator']);
    await tenant.until(isDone);
  });

  it.concurrent('adopts the webhook that has our URL, mends it, and leaves what the customer added', async () => {
    const gladly = nextGladly();
    const tenant = await createTenant(world, FOR_ME);
    const events = ['CONVERSATION/CREATED', 'TASK/CREATED'];
    await saveByHand({ gladly, tenant }, { events, headers: {}, enabled: false });
    await tenant.give(credentialsOf(gladly));
    const status = await tenant.until(isDone);
    expect(stepIn(status, 'webhook').notices.map((it) => it.code)).toContain('webhook_events_extra');
    const [webhook, ...others] = await gladly.webhooks();
    expect(others).toEqual([]);
    expect(webhook).toMatchObject({ name: 'Conversations to analytics', enabled: true, headerKeys: ['x-api-key'] });
    expect(webhook?.events.toSorted()).toEqual([...NINE_EVENTS, 'CUSTOMER/MERGED', 'TASK/CREATED'].toSorted());
  });

  it.concurrent('switches a webhook of ours on again that Gladly had switched off', async () => {
    const gladly = nextGladly();
    const tenant = await createTenant(world, FOR_ME);
    await getSwitchedOff({ gladly, tenant });
    await tenant.give(credentialsOf(gladly));
    await tenant.until(isDone);
    expect(await gladly.webhooks()).toMatchObject([{ enabled: true }]);
  });

  it.concurrent('asks for MESSAGE/RECEIVED where Gladly offers it', async () => {
    const gladly = nextGladly();
    await gladly.control('PATCH', '/settings', { legacyEvents: true });
    const tenant = await createTenant(world, FOR_ME);
    await tenant.give(credentialsOf(gladly));
    const status = await tenant.until(isDone);
    expect(stepIn(status, 'webhook').notices).toEqual([]);
    const [webhook] = await gladly.webhooks();
    expect(webhook?.events.toSorted()).toEqual([...NINE_EVENTS, 'CUSTOMER/MERGED', 'MESSAGE/RECEIVED'].toSorted());
  });

  it.concurrent('goes on without MESSAGE/RECEIVED however Gladly words its refusal, and shows the codes of it', async () => {
    const gladly = nextGladly();
    await gladly.fault({ method: 'POST', path: '/api/v1/webhooks', status: 400, times: 1 });
    const tenant = await createTenant(world, FOR_ME);
    await tenant.give(credentialsOf(gladly));
    const status = stepIn(await tenant.until(isDone), 'webhook');
    expect(status.attempts).toBe(1);
    expect(status.evidence.map(({ answered }) => answered)).toContain('400 bad request: temporary_failure');
    const [webhook] = await gladly.webhooks();
    expect(webhook?.events.toSorted()).toEqual([...NINE_EVENTS, 'CUSTOMER/MERGED'].toSorted());
  });

  it.concurrent('changes nothing in Gladly unless it was asked to', async () => {
    const gladly = nextGladly();
    const tenant = await createTenant(world);
    await saveByHand({ gladly, tenant }, { enabled: false });
    const before = await gladly.webhooks();
    await tenant.give(credentialsOf(gladly));
    await tenant.until((it) => stepIn(it, 'webhook').attempts >= 2);
    expect(await gladly.webhooks()).toEqual(before);
    await change({ gladly, tenant }, { enabled: true });
    await tenant.until(isDone);
  });

  it.concurrent('ticks off the kinds of events as they are seen', async () => {
    const gladly = nextGladly();
    const tenant = await createTenant(world, FOR_ME);
    await tenant.give(credentialsOf(gladly));
    const before = stepIn(await tenant.until(isDone), 'proof');
    expect(before.notices.map((it) => it.code)).toEqual(['no_event_yet']);
    expect(before.evidence).toHaveLength(11);
    await gladly.control('POST', '/emit', { count: 60, onlySubscribed: true });
    const after = await tenant.until((it) => stepIn(it, 'proof').notices.length === 0);
    const seen = stepIn(after, 'proof').evidence.filter((it) => it.answered.startsWith('first seen'));
    expect(seen.length).toBeGreaterThan(1);
    expect(after.onboarding.state).toBe('done');
  });

  it.concurrent('with ten failures has a history of under 300 events', async () => {
    const gladly = nextGladly();
    await gladly.fault({ path: '/api/v1/organization', status: 500, times: 4 });
    await gladly.fault({ path: '/api/v1/agents', status: 503, times: 3 });
    await gladly.fault({ path: '/api/v1/webhooks', cut: true, times: 3 });
    const tenant = await createTenant(world, FOR_ME);
    await tenant.give(credentialsOf(gladly));
    const status = await tenant.until(isDone, 40_000);
    const failures = status.onboarding.steps.reduce((sum, it) => sum + Math.max(it.attempts - 1, 0), 0);
    expect(failures).toBe(10);
    const handle = world.env.client.workflow.getHandle(onboardingWorkflowId(tenant.id));
    expect((await handle.describe()).historyLength).toBeLessThan(300);
  });

  it.concurrent('starts extraction paused where that was asked for', async () => {
    const gladly = nextGladly();
    const tenant = await createTenant(world, { ...FOR_ME, startPaused: true });
    await tenant.give(credentialsOf(gladly));
    await tenant.until((it) => isDone(it) && it.extraction?.state === 'paused');
  });

  it.concurrent('that is done goes on when the token is rejected later and another one is given', async () => {
    const gladly = nextGladly();
    const tenant = await createTenant(world, FOR_ME);
    await tenant.give(credentialsOf(gladly));
    await tenant.until(isDone);
    const { users } = (await gladly.control('GET', '/users')) as {
      users: { id: string; email: string; tokenIds: string[] }[];
    };
    const user = users.find((it) => it.email === gladly.email);
    const fresh = (await gladly.control('POST', `/users/${user?.id}/tokens`)) as { apiToken: string };
    await gladly.control('DELETE', `/tokens/${user?.tokenIds[0]}`);
    await gladly.control('POST', '/emit', { count: 5, onlySubscribed: true });
    const stopped = await tenant.until((it) => it.extraction?.state === 'needs_attention');
    expect(stopped.extraction?.problem?.code).toBe('token_rejected');
    await tenant.give({ ...credentialsOf(gladly), apiToken: fresh.apiToken });
    const resumed = await tenant.until((it) => isDone(it) && it.events.extracted >= 5);
    expect(resumed.extraction?.problem).toBeNull();
  });

  it('leaves no token in a log, a history or the database', async () => {
    expect(await findSecrets(world, tokensOf(organizations))).toEqual([]);
  });
});
