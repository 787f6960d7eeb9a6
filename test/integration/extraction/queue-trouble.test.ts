import { DeleteQueueCommand, SendMessageBatchCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createSqsClients, type SqsClients } from '../../../src/queue/client.ts';
import { createQueues, type Queues } from '../../../src/queue/provision.ts';
import { startGladly, type TestGladly } from '../../support/onboarding/gladly.ts';
import { createTenant, credentialsOf, type TestTenant } from '../../support/onboarding/tenant.ts';
import { startWorld, type World } from '../../support/onboarding/world.ts';
import { withRule } from '../../support/store/samples.ts';

const status = z
  .object({
    problem: z.string().nullable(),
    retentionDays: z.number(),
    findings: z.array(z.object({ code: z.string(), sentence: z.string(), remedy: z.string() }).loose()),
    events: z.object({ inQueue: z.number().nullable(), waiting: z.number(), extracted: z.number() }).loose(),
  })
  .loose();

describe('a tenant whose queue is not as it should be', { timeout: 90_000 }, () => {
  let world: World;
  let gladly: TestGladly;
  let sqs: SqsClients;
  let queues: Queues;
  let tenant: TestTenant;

  beforeAll(async () => {
    gladly = await startGladly();
    world = await startWorld({ gladlyHosts: [gladly.host] });
    sqs = createSqsClients({ region: 'us-east-1', endpoint: world.sqsEndpoint });
    queues = createQueues(sqs.control);
    tenant = await createTenant(world, { webhookSetup: 'create_for_me' });
    await tenant.give(credentialsOf(gladly));
    await tenant.until(({ onboarding }) => onboarding.state === 'done');
  });
  afterAll(async () => {
    sqs?.close();
    await world?.close();
    await gladly?.close();
  });

  const made = z.object({ id: z.string() });
  const emit = async () => {
    const { id } = made.parse(await gladly.control('POST', '/conversations', { items: 1 }));
    await gladly.control('POST', '/emit', { count: 1, conversationId: id, onlySubscribed: true });
  };
  const now = async () => status.parse(await world.api('GET', `/v1/tenants/${tenant.id}`));
  const keys = async () =>
    (await world.db.query('SELECT key_id FROM webhook_keys WHERE revoked_at IS NULL ORDER BY key_id')).rows;
  const urls = async () => {
    const found = await queues.find(tenant.id);
    if (found === null) throw new Error('There is no queue.');
    return found;
  };

  it('is told at once that it is missing, loses nothing meanwhile, and a recheck makes it anew with the same key', async () => {
    const { queue } = await urls();
    await sqs.control.send(new DeleteQueueCommand({ QueueUrl: queue }));
    const keysBefore = await keys();
    const before = (await now()).events.extracted;
    await emit();
    await expect.poll(async () => (await now()).events.extracted, { timeout: 30_000 }).toBe(before + 1);
    await expect.poll(async () => (await now()).problem, { timeout: 30_000 }).toBe('queue_missing');
    expect((await now()).findings).toMatchObject([{ code: 'queue_missing' }]);
    expect(await world.api('GET', '/v1/tenants')).toMatchObject({
      tenants: [{ tenantId: tenant.id, problem: 'queue_missing', findings: ['queue_missing'] }],
    });
    expect(world.log.filter((line) => line.includes('tenant.finding_raised'))).toHaveLength(1);

    await tenant.recheck();
    expect(await now()).toMatchObject({ problem: null, findings: [] });
    await expect.poll(async () => (await now()).events.inQueue).toBe(0);
    expect((await urls()).queue).toBe(queue);
    const { rows } = await world.db.query<{ by: string }>(
      `SELECT by FROM actions WHERE tenant_id = $1 AND action = 'queue_made_anew'`,
      [tenant.id],
    );
    expect(rows).toEqual([{ by: 'tests' }]);
    // The webhook key is the one that it always was, and what comes goes through the queue again.
    expect(await keys()).toEqual(keysBefore);
    await emit();
    await expect.poll(async () => (await now()).events.extracted, { timeout: 30_000 }).toBe(before + 2);
    const ways = await world.db.query<{ way: string }>(
      'SELECT way FROM events WHERE tenant_id = $1 ORDER BY taken_at',
      [tenant.id],
    );
    expect(ways.rows.at(-1)).toEqual({ way: 'queue' });
    expect(ways.rows.map(({ way }) => way)).toContain('direct');
  });

  it('goes on when only its dead-letter queue is missing, and that is told too', async () => {
    const { queue, dead } = await urls();
    const before = (await now()).events.extracted;
    await sqs.control.send(new DeleteQueueCommand({ QueueUrl: dead }));
    await emit();
    await expect.poll(async () => (await now()).events.extracted, { timeout: 30_000 }).toBe(before + 1);
    await expect.poll(async () => (await now()).problem, { timeout: 30_000 }).toBe('queue_missing');
    await expect.poll(async () => (await now())['state'], { timeout: 30_000 }).toBe('parked');
    await tenant.recheck();
    expect(await urls()).toEqual({ queue, dead });
    expect((await now()).findings).toEqual([]);
  });

  it('takes in and extracts nine good events around one that cannot be kept and one that is no delivery, at once', async () => {
    const { queue } = await urls();
    const before = await now();
    const conversations = await Promise.all(
      Array.from({ length: 9 }, async () => made.parse(await gladly.control('POST', '/conversations', { items: 1 }))),
    );
    const message = (n: number, conversationId: string, at: number): string => {
      const body = {
        id: `good-${n}`,
        type: 'CONVERSATION/CLOSED',
        timestamp: new Date().toISOString(),
        content: { conversationId },
      };
      return `{"v":1,"at":${at},"key":"k","json":${JSON.stringify(body)}}`;
    };
    // The fifth was accepted by a process whose clock is beyond all years.
    const good = conversations.map(({ id }, n) => message(n, id, n === 4 ? 9_999_999_999_999_000 : Date.now()));
    const texts = [...good, message(9, 'poison', 1), '{"v":1,"at":1,"key":"\\q","json":{}}'];
    await withRule(world.db, 'events', `conversation_id <> 'poison'`, async () => {
      const { Failed } = await sqs.control.send(
        new SendMessageBatchCommand({
          QueueUrl: queue,
          Entries: texts.slice(1).map((MessageBody, n) => ({ Id: String(n), MessageBody })),
        }),
      );
      expect(Failed ?? []).toEqual([]);
      await sqs.control.send(new SendMessageCommand({ QueueUrl: queue, MessageBody: texts[0] }));
      await expect
        .poll(async () => (await now()).events.extracted, { timeout: 20_000 })
        .toBe(before.events.extracted + 9);
    });
    const after = await now();
    expect(after.events).toMatchObject({ waiting: 0, inDeadLetterQueue: 0 });
    const { rows } = await world.db.query<{ reason: string }>(
      `SELECT reason FROM events WHERE tenant_id = $1 AND state = 'rejected' ORDER BY reason`,
      [tenant.id],
    );
    expect(rows.map(({ reason }) => reason)).toEqual(['not_a_delivery', 'store_refused_23514']);
    await world.api('POST', `/v1/tenants/${tenant.id}/discard`, { reason: 'made by a test' });
  });

  it('extracts all other conversations when one cannot be stored, and that one when it can', async () => {
    const before = (await now()).events.extracted;
    const [poisoned, ...others] = await Promise.all(
      Array.from({ length: 12 }, async () => made.parse(await gladly.control('POST', '/conversations', { items: 1 }))),
    );
    const change = (id: string) =>
      gladly.control('POST', '/emit', { count: 1, conversationId: id, onlySubscribed: true });
    await withRule(world.db, 'items', `conversation_id <> '${poisoned?.id}'`, async () => {
      await Promise.all([poisoned, ...others].map((one) => change(one?.id ?? '')));
      await expect.poll(async () => (await now()).events.extracted, { timeout: 20_000 }).toBe(before + 11);
      const { rows } = await world.db.query<{ reason: string }>(
        'SELECT reason FROM pending_conversations WHERE tenant_id = $1',
        [tenant.id],
      );
      expect(rows).toEqual([{ reason: 'store_refused_23514' }]);
    });
    await expect.poll(async () => (await now()).events.extracted, { timeout: 30_000 }).toBe(before + 12);
  });

  it('keeps its retention while a shorter one would delete what waits, unless that is confirmed', async () => {
    const path = `/v1/tenants/${tenant.id}`;
    await world.api('POST', `${path}/pause`, { reason: 'to let events wait' });
    await expect.poll(async () => (await now())['state'], { timeout: 30_000 }).toBe('paused');
    const { queue } = await urls();
    await sqs.control.send(new SendMessageCommand({ QueueUrl: queue, MessageBody: 'waits' }));
    await world.db.query(`UPDATE drains SET queue_empty_at = now() - interval '3 days' WHERE tenant_id = $1`, [
      tenant.id,
    ]);
    await expect(world.api('PATCH', path, { retentionDays: 1 })).rejects.toThrow(/409.*1 events wait in the queue/s);
    await expect(world.api('PATCH', path, { retentionDays: 3 })).rejects.toThrow('409');
    expect((await now()).retentionDays).toBe(4);
    // Longer, or long enough for what waits: no question.
    await world.api('PATCH', path, { retentionDays: 9 });
    await world.api('PATCH', path, { retentionDays: 4 });
    await world.api('PATCH', path, { retentionDays: 1, discardWaitingEvents: true });
    expect((await now()).retentionDays).toBe(1);
  });

  it('has rejected events brought back or discarded by an operator, and is not warned of them any more', async () => {
    const path = `/v1/tenants/${tenant.id}`;
    await world.db.query(
      `INSERT INTO events (tenant_id, event_id, received_at, way, body, state, reason)
       SELECT $1, 'sha256:' || n, now(), 'queue', 'no json', 'rejected', 'not_json' FROM generate_series(1, 3) n`,
      [tenant.id],
    );
    await world.db.query('UPDATE tenant_counters SET rejected = rejected + 3 WHERE tenant_id = $1', [tenant.id]);
    for (const command of ['redrive', 'discard']) {
      const odd = { eventIds: ['\u0000'], ...(command === 'discard' ? { reason: 'x' } : {}) };
      await expect(world.api('POST', `${path}/${command}`, odd)).rejects.toThrow('422');
    }
    expect(await world.api('POST', `${path}/redrive`, { dryRun: false })).toMatchObject({ rejected: 0, unusable: 3 });
    expect((await now()).findings).toMatchObject([{ code: 'events_rejected' }]);
    const some = { reason: 'a test of ours', eventIds: ['sha256:1'] };
    expect(await world.api('POST', `${path}/discard`, some)).toMatchObject({ discarded: 1 });
    expect(await world.api('POST', `${path}/discard`, { reason: 'tests of ours' })).toMatchObject({ discarded: 2 });
    expect(await now()).toMatchObject({ findings: [], events: { rejected: 0 } });
  });
});
