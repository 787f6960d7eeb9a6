import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VISIBILITY_SECONDS } from '../../../src/queue/limits.ts';
import { type Emulator, emulators } from '../../support/queue/emulators.ts';
import { connect, newQueue, receiveAll, type World } from '../../support/queue/queues.ts';
import { createSdkTransport } from '../../support/queue/sdk-transport.ts';

describe.each(emulators)('receiving from $name', (kind) => {
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

  const put = async (queue: string, ...texts: string[]): Promise<void> => {
    const results = await createSdkTransport(world.clients.control).sendBatch(queue, texts, 5_000);
    expect(results.every((result) => result.kind === 'accepted')).toBe(true);
  };

  test('returns when SQS accepted a message and how often it was received', async () => {
    const { queue } = await newQueue(world);
    const before = Date.now();
    await put(queue, 'a');
    const [message] = await world.receiver.receive(queue, { max: 10, waitSeconds: 1 });
    expect(message).toMatchObject({ body: 'a', receiveCount: 1 });
    expect(message?.sentAt).toBeGreaterThanOrEqual(before - 1_000);
    expect(message?.sentAt).toBeLessThanOrEqual(Date.now() + 1_000);
  });

  test('deletes more than one batch, and deleted messages do not come back', async () => {
    const { queue, dead } = await newQueue(world);
    for (let batch = 0; batch < 3; batch += 1) await put(queue, 'a', 'b', 'c', 'd', 'e');
    const messages = await receiveAll(world.receiver, queue);
    expect(messages).toHaveLength(15);
    const left = await world.receiver.deleteBatch(
      queue,
      messages.map((message) => message.receiptHandle),
    );
    expect(left).toEqual([]);
    const depths = await world.queues.depths({ queue, dead });
    expect(depths.queue).toMatchObject({ waiting: 0, inFlight: 0, delayed: 0 });
  });

  test('what is released is received again soon, with one more receive', async () => {
    const { queue } = await newQueue(world);
    await put(queue, 'a');
    const [first] = await world.receiver.receive(queue, { max: 1, waitSeconds: 1 });
    if (first === undefined) throw new Error('nothing received');
    expect(await world.receiver.release(queue, [first.receiptHandle])).toEqual([]);
    const [second] = await world.receiver.receive(queue, { max: 1, waitSeconds: 5 });
    expect(second).toMatchObject({ body: 'a', messageId: first.messageId, receiveCount: 2 });
  });

  test('an aborted poll answers immediately, and a message that it still gets is back in the queue within its time', async () => {
    const { queue } = await newQueue(world);
    const abort = new AbortController();
    const began = Date.now();
    const polling = world.receiver.receive(queue, { max: 10, waitSeconds: 2, signal: abort.signal });
    await pause(100);
    abort.abort();
    expect(await polling).toEqual([]);
    // Nobody waited for the poll: it is still under way.
    let isOver = false;
    const settled = world.receiver.settled().finally(() => {
      isOver = true;
    });
    await turn();
    expect(isOver).toBe(false);
    await put(queue, 'late');
    await settled;
    const messages = await world.receiver.receive(queue, { max: 10, waitSeconds: 5 });
    expect(messages.map((message) => message.body)).toEqual(['late']);
    expect((Date.now() - began) / 1_000).toBeLessThan(VISIBILITY_SECONDS);
  });

  test('a poll whose signal is aborted already does not begin', async () => {
    const { queue } = await newQueue(world);
    await put(queue, 'a');
    expect(await world.receiver.receive(queue, { max: 1, waitSeconds: 0, signal: AbortSignal.abort() })).toEqual([]);
    const [message] = await receiveAll(world.receiver, queue);
    expect(message?.receiveCount).toBe(1);
  });
});
