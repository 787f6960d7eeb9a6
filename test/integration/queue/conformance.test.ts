import { Buffer } from 'node:buffer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeDelivery, encodeDelivery } from '../../../src/queue/envelope.ts';
import { createLeanTransport } from '../../../src/queue/lean-transport.ts';
import { MAX_MESSAGE_BYTES } from '../../../src/queue/limits.ts';
import type { BatchTransport } from '../../../src/queue/sender.ts';
import { type Emulator, emulators } from '../../support/queue/emulators.ts';
import { connect, newQueue, receiveAll, type World } from '../../support/queue/queues.ts';
import { createSdkTransport } from '../../support/queue/sdk-transport.ts';

const LIMIT_MS = 5_000;

for (const kind of emulators) {
  describe(`sending to ${kind.name}`, () => {
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

    const transports: Record<string, () => BatchTransport> = {
      'the SDK': () => createSdkTransport(world.clients.control),
      'the lean request': () => createLeanTransport({ client: world.clients.control, endpoint: emulator.endpoint }),
    };

    describe.each(Object.keys(transports))('with %s', (name) => {
      let transport: BatchTransport;
      beforeAll(() => {
        const create = transports[name];
        if (create === undefined) throw new Error(`no transport ${name}`);
        transport = create();
      });
      afterAll(() => transport.close());

      test('ten messages arrive as they were sent', async () => {
        const { queue } = await newQueue(world);
        const texts = Array.from({ length: 10 }, (_, n) => `{"n":${n},"text":"\\"quoted\\" ä € \\n"}`);
        const results = await transport.sendBatch(queue, texts, LIMIT_MS);
        expect(results).toEqual(texts.map(() => ({ kind: 'accepted' })));
        const received = await receiveAll(world.receiver, queue);
        expect(received.map((message) => message.body).sort()).toEqual(texts);
      });

      test('an encoded delivery of any bytes comes back byte for byte', async () => {
        const { queue } = await newQueue(world);
        const bodies = ['{"emoji":"\u{1F600}"}', 'no json', '\u0000\u0001', '\ufffe\uffff', ''].map((text) =>
          Buffer.from(text),
        );
        bodies.push(Buffer.from([0xff, 0xfe, 0x80, 0x00]));
        const texts = bodies.map((body) => {
          const encoded = encodeDelivery({ acceptedAt: 1, keyId: 'k', body }, { isJson: body.includes('{') });
          if (encoded.kind !== 'message') throw new Error('too large');
          return encoded.text;
        });
        const results = await transport.sendBatch(queue, texts, LIMIT_MS);
        expect(results).toEqual(texts.map(() => ({ kind: 'accepted' })));
        const received = await receiveAll(world.receiver, queue);
        const opened = received.map((message) => decodeDelivery(message.body)?.body.toString('hex')).sort();
        expect(opened).toEqual(bodies.map((body) => body.toString('hex')).sort());
      });

      test('one message as large as we allow is accepted', async () => {
        const { queue } = await newQueue(world);
        const results = await transport.sendBatch(queue, ['x'.repeat(MAX_MESSAGE_BYTES)], LIMIT_MS);
        expect(results).toEqual([{ kind: 'accepted' }]);
      });

      test('an entry that SQS refuses fails alone, or the whole batch fails: nothing is reported accepted that is not there', async () => {
        const { queue } = await newQueue(world);
        const results = await transport.sendBatch(queue, ['{"good":1}', 'bad \u0000', '{"good":2}'], LIMIT_MS);
        expect(results[1]).toMatchObject({ kind: 'failed', failure: { kind: 'refused' } });
        const accepted = ['{"good":1}', 'bad \u0000', '{"good":2}'].filter((_, n) => results[n]?.kind === 'accepted');
        const received = await receiveAll(world.receiver, queue);
        expect(received.map((message) => message.body).sort()).toEqual(accepted);
      });

      test('a queue that is not there is refused, which is no trouble of the endpoint', async () => {
        const { queue } = await newQueue(world);
        const results = await transport.sendBatch(`${queue}-not`, ['{}', '{}'], LIMIT_MS);
        expect(results).toHaveLength(2);
        for (const result of results) {
          expect(result).toMatchObject({
            kind: 'failed',
            failure: { kind: 'refused', code: /QueueDoesNotExist|NonExistentQueue/ },
          });
        }
      });
    });
  });
}

describe('the outcome of a call is typed', () => {
  const clientsOf = (endpoint: string): World => connect(endpoint);
  test.each(['sdk', 'lean'])('no process listens: unreachable (%s)', async (which) => {
    const world = clientsOf('http://127.0.0.1:1');
    const transport =
      which === 'sdk'
        ? createSdkTransport(world.clients.control)
        : createLeanTransport({ client: world.clients.control, endpoint: 'http://127.0.0.1:1' });
    const results = await transport.sendBatch('http://127.0.0.1:1/0/q', ['{}'], LIMIT_MS);
    expect(results).toEqual([{ kind: 'failed', failure: { kind: 'unreachable', code: 'ECONNREFUSED' } }]);
    await transport.close();
    world.clients.close();
  });
});
