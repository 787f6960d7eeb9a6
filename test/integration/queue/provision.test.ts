import { GetQueueAttributesCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Emulator, emulators } from '../../support/queue/emulators.ts';
import { connect, newTenant, receiveAll, type World } from '../../support/queue/queues.ts';
import { createSdkTransport } from '../../support/queue/sdk-transport.ts';

describe.each(emulators)('provisioning on $name', (kind) => {
  let emulator: Emulator;
  let world: World;
  beforeAll(async () => {
    emulator = await kind.start();
    world = connect(emulator.endpoint);
  }, 330_000);
  afterAll(async () => {
    world.clients.close();
    await emulator.stop();
  });

  const attributesOf = async (url: string): Promise<Partial<Record<string, string>>> => {
    const answer = await world.clients.control.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] }),
    );
    return answer.Attributes ?? {};
  };

  const retentionOf = async (url: string): Promise<number> =>
    Number((await attributesOf(url))['MessageRetentionPeriod']);

  test('a queue with its days, and a dead-letter queue with fourteen', async () => {
    const tenantId = newTenant();
    const urls = await world.queues.provision(tenantId, 4);
    expect(urls.queue).toMatch(new RegExp(`/idiomatic-gladly-${tenantId}$`));
    expect(urls.dead).toMatch(new RegExp(`/idiomatic-gladly-${tenantId}-dead$`));
    const queue = await attributesOf(urls.queue);
    const dead = await attributesOf(urls.dead);
    expect(queue).toMatchObject({ VisibilityTimeout: '60', ReceiveMessageWaitTimeSeconds: '20' });
    expect(dead).toMatchObject({ VisibilityTimeout: '60' });
    expect(JSON.parse(queue['RedrivePolicy'] ?? '{}')).toMatchObject({ deadLetterTargetArn: dead['QueueArn'] });
    if (!kind.hasRetention) return;
    expect(queue).toMatchObject({ MessageRetentionPeriod: String(4 * 86_400) });
    expect(dead).toMatchObject({ MessageRetentionPeriod: String(14 * 86_400) });
  });

  test('again, and twice at the same time, gives the same queues', async () => {
    const tenantId = newTenant();
    const made = await Promise.all([world.queues.provision(tenantId, 4), world.queues.provision(tenantId, 4)]);
    expect(made[1]).toEqual(made[0]);
    expect(await world.queues.provision(tenantId, 4)).toEqual(made[0]);
    expect(await world.queues.find(tenantId)).toEqual(made[0]);
  });

  test('other days change the queue that is there, and its messages stay', async () => {
    const tenantId = newTenant();
    const { queue } = await world.queues.provision(tenantId, 4);
    await createSdkTransport(world.clients.control).sendBatch(queue, ['kept'], 5_000);
    await world.queues.provision(tenantId, 14);
    if (kind.hasRetention) expect(await retentionOf(queue)).toBe(14 * 86_400);
    await world.queues.setRetention(queue, 7);
    if (kind.hasRetention) expect(await retentionOf(queue)).toBe(7 * 86_400);
    expect((await receiveAll(world.receiver, queue)).map((message) => message.body)).toEqual(['kept']);
  });

  test('a message that is received too often is in the dead-letter queue', async () => {
    const { queue, dead } = await world.queues.provision(newTenant(), 4);
    const policy = JSON.stringify({ deadLetterTargetArn: (await attributesOf(dead))['QueueArn'], maxReceiveCount: 2 });
    await world.clients.control.send(
      new SetQueueAttributesCommand({ QueueUrl: queue, Attributes: { RedrivePolicy: policy } }),
    );
    await createSdkTransport(world.clients.control).sendBatch(queue, ['poison'], 5_000);
    for (let receive = 0; receive < 2; receive += 1) {
      const [message] = await world.receiver.receive(queue, { max: 1, waitSeconds: 5 });
      if (message === undefined) throw new Error('nothing received');
      await world.receiver.release(queue, [message.receiptHandle]);
    }
    expect(await world.receiver.receive(queue, { max: 1, waitSeconds: 2 })).toEqual([]);
    expect((await world.queues.depths({ queue, dead })).dead.waiting).toBe(1);
    expect((await receiveAll(world.receiver, dead)).map((message) => message.body)).toEqual(['poison']);
  });

  test('queues with messages in them are removed only with `discard`', async () => {
    const tenantId = newTenant();
    const urls = await world.queues.provision(tenantId, 4);
    await createSdkTransport(world.clients.control).sendBatch(urls.queue, ['a'], 5_000);
    await world.receiver.receive(urls.queue, { max: 1, waitSeconds: 1 });
    const refused = await world.queues.remove(urls);
    expect(refused).toMatchObject({ kind: 'not_empty', depths: { queue: { inFlight: 1 } } });
    expect(await world.queues.remove(urls, { discard: true })).toEqual({ kind: 'removed' });
    expect(await world.queues.find(tenantId)).toBeNull();
    expect(await world.queues.remove(urls)).toEqual({ kind: 'removed' });
  });
});
