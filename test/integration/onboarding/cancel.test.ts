import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSqsClients } from '../../../src/queue/client.ts';
import { createQueues, type Queues } from '../../../src/queue/provision.ts';
import { deliver, saveByHand } from '../../support/onboarding/faults/webhook.ts';
import { startGladly, type TestGladly } from '../../support/onboarding/gladly.ts';
import { createTenant, credentialsOf, type ShownStatus, type TestTenant } from '../../support/onboarding/tenant.ts';
import { eventually } from '../../support/onboarding/waits.ts';
import { startWorld, type World } from '../../support/onboarding/world.ts';

const FOR_ME = { webhookSetup: 'create_for_me' } as const;
const isDone = (it: ShownStatus): boolean => it.onboarding.state === 'done';
const isCancelled = (it: ShownStatus): boolean => it.onboarding.state === 'cancelled';
const PING = { type: 'PING' };

describe('a cancelled onboarding', { timeout: 90_000 }, () => {
  let world: World;
  let organizations: readonly TestGladly[] = [];
  let queues: Queues;
  let closeSqs: () => void;

  beforeAll(async () => {
    organizations = await Promise.all(Array.from({ length: 6 }, () => startGladly()));
    world = await startWorld({ gladlyHosts: organizations.map((it) => it.host) });
    const sqs = createSqsClients({ region: 'us-east-1', endpoint: world.sqsEndpoint });
    queues = createQueues(sqs.control);
    closeSqs = sqs.close;
  });
  afterAll(async () => {
    closeSqs?.();
    await world?.close();
    for (const gladly of organizations) await gladly.close();
  });

  /** Each test has one of its own. */
  function organization(n: number): TestGladly {
    const found = organizations[n];
    if (!found) throw new Error('There are too few organizations.');
    return found;
  }

  const cancel = (tenant: TestTenant, body: object = {}) =>
    world.api('DELETE', `/v1/tenants/${tenant.id}`, { reason: 'not wanted any more', ...body });

  it.concurrent('before any credentials were given leaves no queue and no key', async () => {
    const tenant = await createTenant(world);
    await tenant.until((it) => it.onboarding.step === 'credentials');
    expect(await queues.find(tenant.id)).not.toBeNull();
    await cancel(tenant);
    await tenant.until(isCancelled);
    expect(await queues.find(tenant.id)).toBeNull();
    await eventually(() => expect(deliver(tenant.webhookUrl, tenant.webhookKey, PING)).rejects.toThrow('401'));
    // Given credentials it begins anew, and what is being connected cannot be erased.
    await tenant.give(credentialsOf(organization(4)));
    const erase = world.api('DELETE', `/v1/tenants/${tenant.id}/data`, { reason: 'too early' });
    await expect(erase).rejects.toThrow('409');
  });

  it.concurrent('takes back the webhook that we made', async () => {
    const gladly = organization(0);
    const tenant = await createTenant(world, FOR_ME);
    await tenant.give(credentialsOf(gladly));
    await tenant.until(isDone);
    expect(await gladly.webhooks()).toHaveLength(1);
    await cancel(tenant);
    const status = await tenant.until(isCancelled);
    expect(await gladly.webhooks()).toEqual([]);
    expect(await queues.find(tenant.id)).toBeNull();
    expect(status.extraction?.state).toBe('disconnected');
  });

  it.concurrent('leaves the webhook that the customer made', async () => {
    const gladly = organization(1);
    const tenant = await createTenant(world);
    await saveByHand({ gladly, tenant });
    await tenant.give(credentialsOf(gladly));
    await tenant.until(isDone);
    await cancel(tenant);
    await tenant.until(isCancelled);
    expect(await gladly.webhooks()).toMatchObject([{ name: 'Conversations to analytics' }]);
  });

  it.concurrent('asks first while events wait, and touches nothing', async () => {
    const gladly = organization(2);
    const tenant = await createTenant(world, { ...FOR_ME, startPaused: true });
    await tenant.give(credentialsOf(gladly));
    await tenant.until(isDone);
    await gladly.control('POST', '/emit', { count: 3, onlySubscribed: true });
    await tenant.until((it) => (it.events.inQueue ?? 0) >= 3);
    const before = await gladly.webhooks();
    await cancel(tenant);
    const asking = await tenant.until((it) => it.onboarding.problem !== null);
    expect(asking.onboarding.problem).toMatchObject({
      code: 'events_waiting',
      sentence: expect.stringMatching(/^[3-9] events wait and would be lost\.$/),
      remedy: 'Resume extraction until nothing waits, or confirm that they may be deleted.',
    });
    expect(await gladly.webhooks()).toEqual(before);
    expect(await queues.find(tenant.id)).not.toBeNull();
    await cancel(tenant, { discardWaitingEvents: true });
    await tenant.until(isCancelled);
    expect(await queues.find(tenant.id)).toBeNull();
  });

  it.concurrent('whose credentials do not open any more says so, and ends without them when it is confirmed', async () => {
    const gladly = organization(5);
    const tenant = await createTenant(world, FOR_ME);
    await tenant.give(credentialsOf(gladly));
    await tenant.until(isDone);
    // The key is lost: nothing in the configuration opens it.
    await world.db.query(
      `UPDATE credentials SET sealed = 'v1.lost.' || split_part(sealed, '.', 3) WHERE tenant_id = $1`,
      [tenant.id],
    );
    await cancel(tenant);
    const asking = await tenant.until((it) => it.onboarding.problem !== null);
    expect(asking.onboarding.problem).toMatchObject({ code: 'credentials_unreadable' });
    await cancel(tenant, { discardWaitingEvents: true });
    await tenant.until(isCancelled);
    expect(await queues.find(tenant.id)).toBeNull();
    // Nobody can delete it but the customer.
    expect(await gladly.webhooks()).toHaveLength(1);
  });

  it.concurrent('waits for a Gladly that is out, and then takes the webhook back', async () => {
    const gladly = organization(3);
    const tenant = await createTenant(world, FOR_ME);
    await tenant.give(credentialsOf(gladly));
    await tenant.until(isDone);
    const name = `Idiomatic (created for you, ${tenant.id})`;
    expect((await gladly.webhooks()).map((it) => it.name)).toContain(name);
    await gladly.fault({ method: 'DELETE', path: '/api/v1/webhooks/*', status: 503, times: 3 });
    await cancel(tenant);
    const retrying = await tenant.until((it) => it.onboarding.problem !== null);
    expect(retrying.onboarding.problem?.code).toBe('gladly_server_error');
    await tenant.until(isCancelled);
    expect((await gladly.webhooks()).map((it) => it.name)).not.toContain(name);
  });
});
