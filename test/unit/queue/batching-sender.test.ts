import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createBatchingSender } from '../../../src/queue/batching-sender.ts';
import { MAX_BATCH_ENTRIES } from '../../../src/queue/limits.ts';
import type { BatchTransport, SendResult } from '../../../src/queue/sender.ts';
import { acceptAll, scriptedTransport } from '../../support/queue/scripted-transport.ts';

const Q = 'http://sqs/1/q';

describe('when a message goes', () => {
  test('a lone one at once, without waiting for company', async () => {
    const transport = scriptedTransport();
    const sender = createBatchingSender(transport, { gatherMs: 10_000 });
    void sender.send(Q, 'lone', 4);
    await turn();
    await turn();
    expect(transport.calls.map((call) => call.texts)).toEqual([['lone']]);
  });

  test('those of one turn of the event loop together, ten a call', async () => {
    const transport = scriptedTransport();
    const sender = createBatchingSender(transport);
    for (let n = 0; n < 23; n += 1) void sender.send(Q, String(n), 2);
    await turn();
    await turn();
    expect(transport.calls.map((call) => call.texts.length)).toEqual([10, 10]);
    await pause(20);
    expect(transport.calls.map((call) => call.texts.length)).toEqual([10, 10, 3]);
  });

  test('during a call they gather: until it is over', async () => {
    const transport = scriptedTransport();
    const sender = createBatchingSender(transport, { gatherMs: 10_000 });
    void sender.send(Q, 'a', 1);
    await turn();
    for (const text of ['b', 'c']) {
      void sender.send(Q, text, 1);
      await turn();
    }
    expect(transport.calls).toHaveLength(1);
    const [first] = transport.calls;
    if (first !== undefined) acceptAll(first);
    await pause(5);
    expect(transport.calls.map((call) => call.texts)).toEqual([['a'], ['b', 'c']]);
  });

  test('or until the oldest has waited its few milliseconds', async () => {
    const transport = scriptedTransport();
    const sender = createBatchingSender(transport, { gatherMs: 10 });
    void sender.send(Q, 'a', 1);
    await turn();
    await turn();
    void sender.send(Q, 'b', 1);
    await turn();
    expect(transport.calls).toHaveLength(1);
    await pause(30);
    expect(transport.calls.map((call) => call.texts)).toEqual([['a'], ['b']]);
  });

  test('a queue does not wait for another one', async () => {
    const transport = scriptedTransport();
    const sender = createBatchingSender(transport, { gatherMs: 10_000 });
    void sender.send(Q, 'a', 1);
    await turn();
    await turn();
    void sender.send('http://sqs/1/other', 'b', 1);
    await turn();
    await turn();
    expect(transport.calls.map((call) => call.queueUrl)).toEqual([Q, 'http://sqs/1/other']);
  });

  test('when all calls are taken, a queue with much does not keep the others out', async () => {
    const transport = scriptedTransport();
    const sender = createBatchingSender(transport, { maxCalls: 1 });
    for (let n = 0; n < 50; n += 1) void sender.send(Q, String(n), 2);
    void sender.send('http://sqs/1/other', 'b', 1);
    const order: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      await pause(5);
      const call = transport.calls[n];
      if (call === undefined) throw new Error('no call');
      order.push(call.queueUrl);
      acceptAll(call);
    }
    expect(order).toContain('http://sqs/1/other');
  });
});

describe('bounds', () => {
  test('a message that is too large never goes', async () => {
    const sender = createBatchingSender(scriptedTransport(), { maxBytes: 10 });
    expect(await sender.send(Q, 'x'.repeat(11), 11)).toMatchObject({ failure: { kind: 'too_large' } });
  });

  test('more than may wait fail at once', async () => {
    const sender = createBatchingSender(scriptedTransport(), { maxWaiting: 2, maxWaitingBytes: 100 });
    void sender.send(Q, 'a', 1);
    void sender.send(Q, 'b', 1);
    expect(await sender.send(Q, 'c', 1)).toMatchObject({ failure: { kind: 'overloaded' } });
  });

  test('the same by bytes', async () => {
    const sender = createBatchingSender(scriptedTransport(), { maxWaitingBytes: 10 });
    void sender.send(Q, 'a'.repeat(8), 8);
    expect(await sender.send(Q, 'bbb', 3)).toMatchObject({ failure: { kind: 'overloaded' } });
  });

  test('one that finds no call in its time fails as late', async () => {
    const transport = scriptedTransport();
    const sender = createBatchingSender(transport, { maxCalls: 1, maxWaitMs: 40 });
    void sender.send(Q, 'a', 1);
    await turn();
    await turn();
    const began = performance.now();
    expect(await sender.send(Q, 'b', 1)).toMatchObject({ failure: { kind: 'timeout' } });
    expect(performance.now() - began).toBeLessThan(500);
    expect(sender.pending).toBe(1);
  });

  test('closed: what waits still goes, what comes later is refused', async () => {
    const transport = scriptedTransport();
    const sender = createBatchingSender(transport);
    const before = sender.send(Q, 'a', 1);
    const closing = sender.close();
    expect(await sender.send(Q, 'b', 1)).toMatchObject({ failure: { kind: 'closed' } });
    await pause(5);
    transport.calls.forEach(acceptAll);
    await closing;
    expect(await before).toEqual({ kind: 'accepted' });
  });

  test('a transport that throws, or forgets an entry, accepts nothing', async () => {
    const throwing: BatchTransport = {
      sendBatch: () => Promise.reject(new Error('x')),
      close: () => Promise.resolve(),
    };
    expect(await createBatchingSender(throwing).send(Q, 'a', 1)).toMatchObject({ failure: { kind: 'server' } });
    const forgetful: BatchTransport = { sendBatch: () => Promise.resolve([]), close: () => Promise.resolve() };
    expect(await createBatchingSender(forgetful).send(Q, 'a', 1)).toMatchObject({ failure: { kind: 'server' } });
  });
});

test('whatever comes when: each message ends once, by the result of its own entry, and no call breaks a limit', async () => {
  const message = fc.record({
    queue: fc.integer({ min: 0, max: 3 }),
    bytes: fc.integer({ min: 1, max: 60 }),
    fails: fc.boolean(),
    after: fc.constantFrom('now', 'turn', 'ms'),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(message, { maxLength: 60 }),
      fc.integer({ min: 1, max: 4 }),
      async (messages, maxCalls) => {
        let open = 0;
        const perQueue = new Map<string, number>();
        const transport: BatchTransport = {
          async sendBatch(queueUrl, texts) {
            open += 1;
            expect(open).toBeLessThanOrEqual(maxCalls);
            expect(texts.length).toBeGreaterThan(0);
            expect(texts.length).toBeLessThanOrEqual(MAX_BATCH_ENTRIES);
            const bytes = texts.reduce((sum, text) => sum + text.length, 0);
            expect(bytes).toBeLessThanOrEqual(100);
            perQueue.set(queueUrl, (perQueue.get(queueUrl) ?? 0) + texts.length);
            await (texts.length % 2 === 0 ? turn() : pause(1));
            open -= 1;
            return texts.map(
              (text): SendResult =>
                text.startsWith('!')
                  ? { kind: 'failed', failure: { kind: 'refused', code: 'x' } }
                  : { kind: 'accepted' },
            );
          },
          close: () => Promise.resolve(),
        };
        const sender = createBatchingSender(transport, { maxBytes: 100, maxCalls, gatherMs: 1, maxWaitMs: 60_000 });
        const results: Promise<SendResult>[] = [];
        for (const { queue, bytes, fails, after } of messages) {
          if (after === 'turn') await turn();
          if (after === 'ms') await pause(1);
          results.push(sender.send(`q${queue}`, (fails ? '!' : '.').padEnd(bytes, 'x'), bytes));
        }
        const kinds = (await Promise.all(results)).map((result) => result.kind);
        expect(kinds).toEqual(messages.map(({ fails }) => (fails ? 'failed' : 'accepted')));
        expect(sender.pending).toBe(0);
        for (let queue = 0; queue < 4; queue += 1) {
          expect(perQueue.get(`q${queue}`) ?? 0).toBe(messages.filter((one) => one.queue === queue).length);
        }
        await sender.close();
      },
    ),
    { numRuns: 60 },
  );
});
