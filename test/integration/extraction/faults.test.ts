import { setTimeout as sleep } from 'node:timers/promises';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { encodeDelivery } from '../../../src/queue/envelope.ts';
import { startGladly, type TestGladly } from '../../support/onboarding/gladly.ts';
import { createTenant, credentialsOf, type TestTenant } from '../../support/onboarding/tenant.ts';
import { startWorld, type World } from '../../support/onboarding/world.ts';

const status = z
  .object({
    extraction: z
      .object({ state: z.string(), problem: z.object({ code: z.string() }).loose().nullable() })
      .loose()
      .nullable(),
    events: z.record(z.string(), z.unknown()),
  })
  .loose();
type Status = z.infer<typeof status>;

const GONE_TO_DO = { waiting: 0, inQueue: 0 };

describe('extraction, when Gladly is not as it should be', { timeout: 90_000 }, () => {
  let world: World;
  let gladlies: TestGladly[] = [];
  let used = 0;

  beforeAll(async () => {
    gladlies = await Promise.all(Array.from({ length: 9 }, () => startGladly()));
    const env = {
      GLADLY_WAIT_MS: '300',
      GLADLY_WAIT_MAX_MS: '600',
      ATTENTION_LOOK_MS: '600000',
      MISSING_PATIENCE_MS: '8000',
    };
    world = await startWorld({ gladlyHosts: gladlies.map(({ host }) => host), env });
  });
  afterAll(async () => {
    await world?.close();
    await Promise.all(gladlies.map((gladly) => gladly.close()));
  });

  async function connected(): Promise<{ gladly: TestGladly; tenant: TestTenant }> {
    const gladly = gladlies[used++];
    if (!gladly) throw new Error('There are too few organizations.');
    const tenant = await createTenant(world, { webhookSetup: 'create_for_me' });
    await tenant.give(credentialsOf(gladly));
    await tenant.until(({ onboarding }) => onboarding.state === 'done');
    return { gladly, tenant };
  }

  async function when(
    tenant: TestTenant,
    what: string,
    wanted: (found: Status) => boolean,
    ms = 30_000,
  ): Promise<Status> {
    const end = Date.now() + ms;
    for (;;) {
      const found = status.parse(await world.api('GET', `/v1/tenants/${tenant.id}`));
      if (wanted(found)) return found;
      if (Date.now() > end) throw new Error(`${what}: not within ${ms} ms; last: ${JSON.stringify(found)}`);
      await sleep(50);
    }
  }

  const counts = (found: Status, wanted: Record<string, number>): boolean =>
    Object.entries(wanted).every(([name, value]) => found.events[name] === value);

  const made = z.object({ id: z.string(), customerId: z.string() });
  const newConversation = async (gladly: TestGladly, items: number) =>
    made.parse(await gladly.control('POST', '/conversations', { items }));
  const change = (gladly: TestGladly, conversationId: string, count = 1) =>
    gladly.control('POST', '/emit', { count, conversationId, onlySubscribed: true });
  const stored = async (tenant: TestTenant, id: string) =>
    z
      .object({ itemCount: z.number(), limited: z.boolean(), items: z.array(z.object({ itemId: z.string() }).loose()) })
      .loose()
      .parse(await world.api('GET', `/v1/tenants/${tenant.id}/conversations/${id}`));

  it.concurrent('an item that its event names and Gladly does not show yet is read a little later', async () => {
    const { gladly, tenant } = await connected();
    await gladly.control('PATCH', '/settings', { readLagMs: 2_500 });
    const { id } = await newConversation(gladly, 3);
    await change(gladly, id, 4);
    await when(tenant, 'all four', (found) => counts(found, { extracted: 4, ...GONE_TO_DO }));
    const content = z.object({ type: z.string() }).loose();
    const whole = z.object({ items: z.array(z.object({ id: z.string(), content }).loose()) });
    const { items } = whole.parse(await gladly.control('GET', `/conversations/${id}`));
    const mine = new Set((await stored(tenant, id)).items.map(({ itemId }) => itemId));
    // Changes of topic and status are items that no event names: when they show is Gladly's secret.
    const named = items.filter(({ content: { type } }) => !/_CHANGE$/.test(type));
    expect(named.filter((item) => !mine.has(item.id))).toEqual([]);
  });

  it.concurrent('over the cap of 1,000 items, those that events name are read one by one', async () => {
    const { gladly, tenant } = await connected();
    const { id } = await newConversation(gladly, 1_200);
    await change(gladly, id, 6);
    await when(tenant, 'all six', (found) => counts(found, { extracted: 6, ...GONE_TO_DO }));
    const conversation = await stored(tenant, id);
    expect(conversation.limited).toBe(true);
    expect(conversation.itemCount).toBeGreaterThan(1_000);
  });

  it.concurrent('a conversation that was deleted is recorded as gone', async () => {
    const { gladly, tenant } = await connected();
    const { id } = await newConversation(gladly, 2);
    await world.api('POST', `/v1/tenants/${tenant.id}/pause`, { reason: 'to delete it first' });
    await when(tenant, 'paused', ({ extraction }) => extraction?.state === 'paused');
    await change(gladly, id, 2);
    await gladly.control('DELETE', `/conversations/${id}`);
    await world.api('POST', `/v1/tenants/${tenant.id}/resume`);
    await when(tenant, 'both gone', (found) => counts(found, { gone: 2, extracted: 0, ...GONE_TO_DO }));
  });

  it.concurrent('a conversation that Gladly cannot answer for holds up no other, and is read when it can be again', async () => {
    const { gladly, tenant } = await connected();
    const sick = await newConversation(gladly, 2);
    const healthy = await Promise.all(Array.from({ length: 4 }, () => newConversation(gladly, 2)));
    await gladly.fault({ path: `/api/v1/conversations/${sick.id}/**`, status: 500 });
    await change(gladly, sick.id, 1);
    const noOutage = async (): Promise<void> => {
      for (let look = 0; look < 30; look += 1) {
        await sleep(100);
        const { extraction } = status.parse(await world.api('GET', `/v1/tenants/${tenant.id}`));
        expect(extraction?.state).not.toBe('waiting_for_gladly');
      }
    };
    await noOutage();
    for (const { id } of healthy) await change(gladly, id, 3);
    const found = await when(tenant, 'all of the others', (now) =>
      counts(now, { extracted: 12, waiting: 1, inQueue: 0 }),
    );
    expect(found.extraction?.problem).toBeNull();
    await noOutage();
    await gladly.clearFaults();
    await when(tenant, 'all', (now) => counts(now, { extracted: 13, ...GONE_TO_DO }), 75_000);
  });

  it.concurrent('a conversation that fails again and again is named, with why, until it can be read', async () => {
    const { gladly, tenant } = await connected();
    const { id } = await newConversation(gladly, 1);
    await gladly.fault({ path: `/api/v1/conversations/${id}**`, status: 503 });
    await change(gladly, id);
    const found = z.object({ findings: z.array(z.object({ code: z.string(), sentence: z.string() }).loose()) });
    const look = async () => found.parse(await world.api('GET', `/v1/tenants/${tenant.id}`)).findings;
    const named = [{ code: 'conversations_failing', sentence: expect.stringContaining(id) }];
    await vi.waitFor(async () => expect(await look()).toMatchObject(named), { timeout: 40_000, interval: 100 });
    await gladly.clearFaults();
    // Its time has come: a minute is long for a test.
    await world.db.query('UPDATE pending_conversations SET not_before = now() WHERE tenant_id = $1', [tenant.id]);
    await change(gladly, id);
    await vi.waitFor(async () => expect(await look()).toEqual([]), { timeout: 60_000, interval: 100 });
  });

  it.concurrent('an outage of Gladly loses nothing: intake goes on, the status says so, and it catches up alone', async () => {
    const { gladly, tenant } = await connected();
    await gladly.fault({ path: '/api/v1/**', status: 503 });
    const { id } = await newConversation(gladly, 2);
    await change(gladly, id, 3);
    const waiting = await when(
      tenant,
      'waiting for Gladly',
      (found) => found.extraction?.state === 'waiting_for_gladly' && counts(found, { waiting: 3, inQueue: 0 }),
    );
    expect(waiting.extraction?.problem?.code).toBe('gladly_server_error');
    expect(waiting.events).toMatchObject({ inDeadLetterQueue: 0, rejected: 0 });
    await gladly.clearFaults();
    await when(tenant, 'caught up', (found) => counts(found, { extracted: 3, ...GONE_TO_DO }));
    await when(tenant, 'no problem left', ({ extraction }) => extraction?.problem === null);
  });

  it.concurrent('a rejected token asks for a person, with the problem and its remedy; new credentials go on', async () => {
    const { gladly, tenant } = await connected();
    await gladly.fault({ path: '/api/v1/**', status: 401, body: 'empty' });
    const { id } = await newConversation(gladly, 2);
    await change(gladly, id, 2);
    const stuck = await when(tenant, 'needs attention', ({ extraction }) => extraction?.state === 'needs_attention');
    expect(stuck.extraction?.problem?.code).toBe('token_rejected');
    await gladly.clearFaults();
    await tenant.give(credentialsOf(gladly));
    await when(tenant, 'all extracted', (found) => counts(found, { extracted: 2, ...GONE_TO_DO }));
  });

  it.concurrent('what cannot be extracted is rejected with its reason, and a redrive brings it back', async () => {
    const { gladly, tenant } = await connected();
    await world.api('POST', `/v1/tenants/${tenant.id}/pause`, { reason: 'to arrange it' });
    await when(tenant, 'paused', ({ extraction }) => extraction?.state === 'paused');
    const { id } = await newConversation(gladly, 2);
    await change(gladly, id, 2);
    await when(tenant, 'both in SQS', (found) => counts(found, { inQueue: 2 }));
    await world.api('POST', `/v1/tenants/${tenant.id}/resume`);
    await when(tenant, 'both extracted', (found) => counts(found, { extracted: 2, ...GONE_TO_DO }));
    await world.db.query(`UPDATE events SET state = 'rejected', reason = 'answer_too_large' WHERE tenant_id = $1`, [
      tenant.id,
    ]);
    await world.db.query('UPDATE tenant_counters SET extracted = 0, rejected = 2 WHERE tenant_id = $1', [tenant.id]);
    const redrive = `/v1/tenants/${tenant.id}/redrive`;
    expect(await world.api('POST', redrive, { dryRun: true })).toMatchObject({ dryRun: true, rejected: 2 });
    expect((await when(tenant, 'unchanged', () => true)).events).toMatchObject({ rejected: 2, waiting: 0 });
    expect(await world.api('POST', redrive, { dryRun: false })).toMatchObject({ dryRun: false, rejected: 2 });
    await when(tenant, 'extracted after all', (found) => counts(found, { extracted: 2, rejected: 0, waiting: 0 }));
  });

  it.concurrent('dead letters come back through the ledger; what is not ours is kept there, as rejected', async () => {
    const { gladly, tenant } = await connected();
    const { id, customerId } = await newConversation(gladly, 2);
    const { rows } = await world.db.query<{ dead: string }>(
      'SELECT dead_letter_queue_url AS dead FROM tenants WHERE tenant_id = $1',
      [tenant.id],
    );
    const dead = rows[0]?.dead ?? '';
    const event = {
      id: 'lost-and-found',
      type: 'CONVERSATION/CLOSED',
      timestamp: new Date().toISOString(),
      content: { conversationId: id, customerId, context: { assignee: { inboxId: 'x' } } },
    };
    const body = Buffer.from(JSON.stringify(event));
    const encoded = encodeDelivery({ acceptedAt: Date.now(), keyId: 'k', body }, { isJson: true });
    if (encoded.kind !== 'message') throw new Error('It does not fit.');
    const sqs = new SQSClient({ endpoint: world.sqsEndpoint, region: 'us-east-1' });
    await sqs.send(new SendMessageCommand({ QueueUrl: dead, MessageBody: encoded.text }));
    await sqs.send(new SendMessageCommand({ QueueUrl: dead, MessageBody: 'somebody else wrote this' }));
    sqs.destroy();
    const redrive = `/v1/tenants/${tenant.id}/redrive`;
    expect(await world.api('POST', redrive, { dryRun: true })).toMatchObject({ deadLetters: 2 });
    expect(await world.api('POST', redrive, { dryRun: false })).toMatchObject({ deadLetters: 2, deadLettersLeft: 0 });
    await when(tenant, 'extracted', (found) => counts(found, { extracted: 1, waiting: 0, rejected: 1 }));
  });
});
