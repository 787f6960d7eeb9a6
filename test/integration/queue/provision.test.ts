import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ListQueueTagsCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ForeignQueueError, isDeletedRecently } from '../../../src/queue/errors.ts';
import { createQueues } from '../../../src/queue/provision.ts';
import { dyingQueues } from '../../support/queue/dying-queues.ts';
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
    expect(urls.dead).toMatch(new RegExp(`/idiomatic-gladly-${tenantId}_dead$`));
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
    const refused = await world.queues.remove(tenantId);
    expect(refused).toMatchObject({ kind: 'not_empty', depths: { queue: { inFlight: 1 } } });
    expect(await world.queues.remove(tenantId, { discard: true })).toEqual({ kind: 'removed' });
    expect(await world.queues.find(tenantId)).toBeNull();
    expect(await world.queues.remove(tenantId)).toEqual({ kind: 'removed' });
  });

  test('no two tenants share a queue, whatever their ids are, in either order', async () => {
    const [one, other] = [newTenant(), newTenant()];
    const ids = [one, `${one}-dead`, `${other}-dead`, other, `${other}-dead-dead`];
    for (const id of ids) await world.queues.provision(id, 4);
    const found = await Promise.all(ids.map((id) => world.queues.find(id)));
    const urls = found.flatMap((it) => (it === null ? [] : [it.queue, it.dead]));
    expect(new Set(urls).size).toBe(2 * ids.length);
    await createSdkTransport(world.clients.control).sendBatch(`${found[1]?.queue}`, ['kept'], 5_000);
    expect(await world.queues.remove(one, { discard: true })).toEqual({ kind: 'removed' });
    expect(await world.queues.find(`${one}-dead`)).toEqual(found[1]);
    expect((await receiveAll(world.receiver, `${found[1]?.queue}`)).map(({ body }) => body)).toEqual(['kept']);
  });

  test('a queue whose tags say another tenant is neither used nor deleted', async () => {
    const id = newTenant();
    // Two products, or two prefixes of this one, can come to the same name.
    const others = createQueues(world.clients.control, { prefix: `idiomatic-gladly-${id.slice(0, 5)}` });
    const theirs = await others.provision(id.slice(5), 9);
    const before = await attributesOf(theirs.queue);
    await expect(world.queues.provision(id, 4)).rejects.toThrow(ForeignQueueError);
    await expect(world.queues.find(id)).rejects.toThrow(ForeignQueueError);
    await expect(world.queues.remove(id, { discard: true })).rejects.toThrow(ForeignQueueError);
    expect(await others.find(id.slice(5))).toEqual(theirs);
    expect(await attributesOf(theirs.queue)).toEqual(before);
  });

  test('a queue without tags of that name is ours, and is tagged', async () => {
    const tenantId = newTenant();
    const name = `idiomatic-gladly-${tenantId}`;
    const { QueueUrl } = await world.clients.control.send(new CreateQueueCommand({ QueueName: name }));
    expect((await world.queues.provision(tenantId, 4)).queue).toBe(QueueUrl);
    const { Tags } = await world.clients.control.send(new ListQueueTagsCommand({ QueueUrl }));
    expect(Tags).toEqual({ 'idiomatic-gladly-tenant': tenantId, 'idiomatic-gladly-use': 'events' });
  });

  test('a dying queue is not taken for a new one', async () => {
    const aws = await dyingQueues(emulator.endpoint, 1_500);
    const { clients, queues } = connect(aws.endpoint);
    const tenantId = newTenant();
    await queues.provision(tenantId, 4);
    await queues.remove(tenantId);
    // AWS: requests to it may succeed for 60 s.
    expect(await queues.find(tenantId)).not.toBeNull();
    const refusal = await queues.provision(tenantId, 4).catch((error: unknown) => error);
    expect(isDeletedRecently(refusal)).toBe(true);
    const { queue } = await vi.waitFor(() => queues.provision(tenantId, 4), { timeout: 10_000, interval: 200 });
    await createSdkTransport(clients.control).sendBatch(queue, ['kept'], 5_000);
    expect((await receiveAll(world.receiver, queue)).map(({ body }) => body)).toEqual(['kept']);
    expect(aws.lost()).toBe(0);
    clients.close();
    await aws.close();
  });
});
