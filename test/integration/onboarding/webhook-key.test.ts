import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { replaceWebhookKeySignal } from '../../../src/contracts/onboarding.ts';
import { onboardingWorkflowId } from '../../../src/contracts/tenant.ts';
import { liveWebhookKeys } from '../../../src/store/webhook-keys.ts';
import { change, deliver, saveByHand } from '../../support/onboarding/faults/webhook.ts';
import { startGladly, type TestGladly } from '../../support/onboarding/gladly.ts';
import { createTenant, credentialsOf, type ShownStatus, type TestTenant } from '../../support/onboarding/tenant.ts';
import { eventually } from '../../support/onboarding/waits.ts';
import { startWorld, type World } from '../../support/onboarding/world.ts';

const isDone = (it: ShownStatus): boolean => it.onboarding.state === 'done';
const PING = { type: 'PING' };

describe('a webhook key that is replaced', { timeout: 90_000 }, () => {
  let world: World;
  let organizations: readonly TestGladly[] = [];

  beforeAll(async () => {
    organizations = await Promise.all([startGladly(), startGladly()]);
    world = await startWorld({ gladlyHosts: organizations.map((it) => it.host) });
  });
  afterAll(async () => {
    await world?.close();
    for (const gladly of organizations) await gladly.close();
  });

  const keysOf = async ({ id }: TestTenant) => (await liveWebhookKeys(world.db, id, new Date())).map((it) => it.keyId);

  /** Sends so many events; tells how many of all sent so far were refused. */
  async function emit(gladly: TestGladly, count: number): Promise<number> {
    await gladly.control('POST', '/emit', { count, onlySubscribed: true });
    await gladly.control('GET', '/deliveries/quiet?waitMs=10000');
    const { deliveries } = (await gladly.control('GET', '/deliveries')) as {
      deliveries: { attempts: { status: number | null }[] }[];
    };
    return deliveries.flatMap((it) => it.attempts).filter((it) => it.status !== 200).length;
  }

  it.concurrent('by hand: the old one works until the new one is seen, and no event is refused', async () => {
    const [gladly] = organizations;
    if (!gladly) throw new Error('There is no Gladly.');
    const tenant = await createTenant(world);
    await saveByHand({ gladly, tenant });
    await tenant.give(credentialsOf(gladly));
    await tenant.until(isDone);
    const made = (await world.api('POST', `/v1/tenants/${tenant.id}/webhook-key`)) as { webhookKey: string };
    expect(await emit(gladly, 3)).toBe(0);
    await change({ gladly, tenant }, { headers: { 'x-api-key': made.webhookKey } });
    expect(await emit(gladly, 3)).toBe(0);
    await eventually(async () => expect(await keysOf(tenant)).toHaveLength(1));
    await eventually(() => expect(deliver(tenant.webhookUrl, tenant.webhookKey, PING)).rejects.toThrow('401'));
    await deliver(tenant.webhookUrl, made.webhookKey, PING);
  });

  it.concurrent('of a webhook that we made: we put it there, and no event is refused', async () => {
    const gladly = organizations[1];
    if (!gladly) throw new Error('There is no Gladly.');
    const tenant = await createTenant(world, { webhookSetup: 'create_for_me' });
    await tenant.give(credentialsOf(gladly));
    await tenant.until(isDone);
    await eventually(async () => expect(await keysOf(tenant)).toHaveLength(1));
    const [before] = await keysOf(tenant);
    const workflow = world.env.client.workflow.getHandle(onboardingWorkflowId(tenant.id));
    await workflow.signal(replaceWebhookKeySignal);
    await eventually(async () => expect(await keysOf(tenant)).toHaveLength(2));
    await tenant.until(isDone);
    expect(await emit(gladly, 3)).toBe(0);
    await eventually(async () => {
      const now = await keysOf(tenant);
      expect(now).toHaveLength(1);
      expect(now).not.toContain(before);
    });
    expect(await emit(gladly, 2)).toBe(0);
    expect(await gladly.webhooks()).toHaveLength(1);
  });
});
