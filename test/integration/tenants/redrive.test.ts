import { DeleteQueueCommand } from '@aws-sdk/client-sqs';
import { startFauxqs } from 'fauxqs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeDelivery } from '../../../src/queue/envelope.ts';
import { eventCounts } from '../../../src/store/ledger/counters.ts';
import { takeIn } from '../../../src/store/ledger/take-in.ts';
import { redrive } from '../../../src/tenants/redrive.ts';
import { connect, newQueue, type World } from '../../support/queue/queues.ts';
import { createSdkTransport } from '../../support/queue/sdk-transport.ts';
import { event, settleEvents, withRule } from '../../support/store/samples.ts';
import { describeStore } from '../../support/store/store-suite.ts';

let emulator: Awaited<ReturnType<typeof startFauxqs>>;
let sqs: World;
beforeAll(async () => {
  emulator = await startFauxqs({ port: 0, logger: false });
  sqs = connect(emulator.address);
});
afterAll(async () => {
  sqs.clients.close();
  await emulator.stop();
});

/** The message that the webhook endpoint makes of Gladly's event. */
function message(id: string): string {
  const content = { conversationId: `c-${id}`, customerId: 'u1', context: { assignee: { inboxId: 'i1' } } };
  const body = { id, type: 'CONVERSATION/CLOSED', timestamp: '2026-01-05T09:00:00Z', content };
  const delivery = { acceptedAt: Date.UTC(2026, 0, 5), keyId: 'k', body: Buffer.from(JSON.stringify(body)) };
  const sealed = encodeDelivery(delivery, { isJson: true });
  if (sealed.kind !== 'message') throw new Error('It does not fit.');
  return sealed.text;
}

const AGAIN = { timeout: 20_000, interval: 100 };

const ids = (count: number): string[] => Array.from({ length: count }, (_, n) => `e${n}`);

describeStore('a redrive of dead letters', (store) => {
  /** A tenant with these messages in its dead-letter queue. */
  async function tenantWith(texts: readonly string[]) {
    const tenantId = await store.tenant();
    const { queue, dead } = await newQueue(sqs);
    const transport = createSdkTransport(sqs.clients.control);
    for (let from = 0; from < texts.length; from += 10) {
      const results = await transport.sendBatch(dead, texts.slice(from, from + 10), 10_000);
      expect(results.every(({ kind }) => kind === 'accepted')).toBe(true);
    }
    const world = { db: store.db, queues: sqs.queues, receiver: sqs.receiver };
    return {
      tenantId,
      run: (dryRun: boolean, eventIds?: readonly string[]) =>
        redrive(world, tenantId, { queue, dead }, { dryRun, eventIds }),
      counts: () => eventCounts(store.db, tenantId),
      left: async () => (await sqs.queues.depths({ queue, dead })).dead,
    };
  }

  it('takes in more than one receive gives, deletes what it took, and keeps what is no delivery as rejected', async () => {
    const strange = ['somebody else wrote this', '{"v":9}', '{"v":1,"at":1,"key":"\\q","json":{}}'];
    const { run, counts, left } = await tenantWith([...ids(23).map(message), ...strange]);
    expect(await run(true)).toMatchObject({ dryRun: true, deadLetters: 26 });
    expect(await counts()).toMatchObject({ waiting: 0 });
    expect(await run(false)).toMatchObject({ deadLetters: 26, deadLettersLeft: 0 });
    expect(await counts()).toMatchObject({ waiting: 23, rejected: 3 });
    expect(await left()).toMatchObject({ waiting: 0, inFlight: 0 });
  });

  it('takes in all others when Postgres cannot keep one, which stays', async () => {
    const ahead = message('ahead').replace(/"at":\d+/, '"at":9999999999999999');
    const { run, counts } = await tenantWith([...ids(9).map(message), message('poison'), ahead]);
    const poison = `position('poison' in encode(body, 'escape')) = 0`;
    await withRule(store.db, 'events', poison, async () => {
      expect(await run(false)).toMatchObject({ deadLetters: 10, deadLettersLeft: 1 });
    });
    expect(await counts()).toMatchObject({ waiting: 10, rejected: 0 });
    await expect.poll(() => run(false), AGAIN).toMatchObject({ deadLetters: 1, deadLettersLeft: 0 });
    expect(await counts()).toMatchObject({ waiting: 11 });
  });

  it('takes only the events that were asked for, and hands back all others, more than a batch of them', async () => {
    const { run, counts } = await tenantWith(ids(25).map(message));
    expect(await run(false, ['e3', 'e14', 'nobody'])).toMatchObject({ deadLetters: 2, deadLettersLeft: 23 });
    expect(await counts()).toMatchObject({ waiting: 2 });
    let taken = 0;
    const takenSoFar = async () => {
      taken += (await run(false)).deadLetters;
      return taken;
    };
    await expect.poll(takenSoFar, AGAIN).toBe(23);
    expect(await counts()).toMatchObject({ waiting: 25 });
  });

  it('counts an event that is in the ledger already once, and a PING not at all', async () => {
    const ping = encodeDelivery(
      { acceptedAt: 0, keyId: 'k', body: Buffer.from('{"id":"p","type":"PING","timestamp":"2026-01-05T09:00:00Z"}') },
      { isJson: true },
    );
    if (ping.kind !== 'message') throw new Error('It does not fit.');
    const { run, counts, left } = await tenantWith([...ids(11).flatMap((id) => [message(id), message(id)]), ping.text]);
    expect(await run(false)).toMatchObject({ deadLetters: 23, deadLettersLeft: 0 });
    expect(await counts()).toMatchObject({ waiting: 11, rejected: 0 });
    expect(await left()).toMatchObject({ waiting: 0, inFlight: 0 });
  });

  it('brings back rejected events beside them, and those alone where there is no queue', async () => {
    const { tenantId, run, counts } = await tenantWith(ids(12).map(message));
    const rejected = Array.from({ length: 15 }, (_, n) => event(`r${n}`, `c${n}`));
    await takeIn(store.db, tenantId, rejected);
    const reject = () =>
      store.db.transaction((tx) =>
        settleEvents(
          tx,
          tenantId,
          rejected.map(({ eventId }) => ({ eventId, state: 'rejected' as const, reason: 'poison' })),
        ),
      );
    await reject();
    expect(await run(false)).toMatchObject({ rejected: 15, deadLetters: 12 });
    expect(await counts()).toMatchObject({ waiting: 27, rejected: 0 });
    await reject();
    const world = { db: store.db, queues: sqs.queues, receiver: sqs.receiver };
    expect(await redrive(world, tenantId, null, { dryRun: false })).toEqual({
      dryRun: false,
      rejected: 15,
      gone: 0,
      unusable: 0,
      deadLetters: 0,
      deadLettersLeft: 0,
      deadLetterProblem: null,
    });
  });

  it('brings back rejected events all the same when the dead letters cannot be looked at, and says why', async () => {
    const tenantId = await store.tenant();
    await takeIn(store.db, tenantId, [event('r', 'c')]);
    await store.db.transaction((tx) => settleEvents(tx, tenantId, [{ eventId: 'r', state: 'rejected', reason: 'x' }]));
    const { queue, dead } = await newQueue(sqs);
    await sqs.clients.control.send(new DeleteQueueCommand({ QueueUrl: dead }));
    const world = { db: store.db, queues: sqs.queues, receiver: sqs.receiver };
    for (const dryRun of [true, false]) {
      expect(await redrive(world, tenantId, { queue, dead }, { dryRun })).toMatchObject({
        rejected: 1,
        deadLetters: 0,
        deadLetterProblem: 'queue_missing',
      });
    }
  });
});
