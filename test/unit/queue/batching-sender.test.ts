import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BatchingLimits, createBatchingSender } from '../../../src/queue/batching-sender.ts';
import { MAX_BATCH_ENTRIES } from '../../../src/queue/limits.ts';
import type { BatchTransport, SendResult } from '../../../src/queue/sender.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { acceptAll, scriptedTransport } from '../../support/queue/scripted-transport.ts';

const Q = 'http://sqs/1/q';
const OTHER = 'http://sqs/1/other';

function setUp(limits: Partial<BatchingLimits> = {}) {
  const clock = new FakeClock();
  const transport = scriptedTransport();
  const sender = createBatchingSender(transport, limits, clock);
  return {
    clock,
    transport,
    sender,
    /** The texts of each call so far. */
    texts: (): (readonly string[])[] => transport.calls.map((call) => call.texts),
    /** Accepts all messages of call `n`, counted from 0. */
    accept(n: number): void {
      const call = transport.calls[n];
      if (call === undefined) throw new Error(`there is no call ${n}`);
      acceptAll(call);
    },
  };
}

describe('when a message goes', () => {
  test('a single one immediately', async () => {
    const { clock, sender, texts } = setUp();
    void sender.send(Q, 'lone', 4);
    await clock.settle();
    expect(texts()).toEqual([['lone']]);
  });

  test('those of one turn of the event loop together, ten a call', async () => {
    const { clock, sender, texts } = setUp();
    for (let n = 0; n < 23; n += 1) void sender.send(Q, String(n), 2);
    await clock.settle();
    expect(texts().map(({ length }) => length)).toEqual([10, 10]);
    await clock.advance(4);
    expect(texts().map(({ length }) => length)).toEqual([10, 10, 3]);
  });

  test('during a call they gather: until it is over', async () => {
    const { clock, sender, texts, accept } = setUp({ gatherMs: 10_000 });
    void sender.send(Q, 'a', 1);
    await clock.settle();
    for (const text of ['b', 'c']) {
      void sender.send(Q, text, 1);
      await clock.settle();
    }
    expect(texts()).toEqual([['a']]);
    accept(0);
    await clock.settle();
    expect(texts()).toEqual([['a'], ['b', 'c']]);
  });

  test('or until they fill a call', async () => {
    const { clock, sender, texts } = setUp();
    void sender.send(Q, 'a', 1);
    await clock.settle();
    for (let n = 0; n < 10; n += 1) void sender.send(Q, String(n), 1);
    await clock.settle();
    expect(texts().map(({ length }) => length)).toEqual([1, 10]);
  });

  test('or until the oldest has waited 4 ms', async () => {
    const { clock, sender, texts } = setUp();
    void sender.send(Q, 'a', 1);
    await clock.settle();
    void sender.send(Q, 'b', 1);
    await clock.advance(3);
    void sender.send(Q, 'c', 1);
    await clock.advance(0.9);
    expect(texts()).toEqual([['a']]);
    await clock.advance(0.1);
    expect(texts()).toEqual([['a'], ['b', 'c']]);
  });

  test('those that a full call leaves behind wait from when they came', async () => {
    const { clock, sender, texts } = setUp();
    void sender.send(Q, 'a', 1);
    await clock.settle();
    for (let n = 0; n < 9; n += 1) void sender.send(Q, String(n), 1);
    await clock.advance(3);
    for (const text of ['9', 'left']) void sender.send(Q, text, 1);
    await clock.settle();
    expect(texts().map(({ length }) => length)).toEqual([1, 10]);
    await clock.advance(3.9);
    expect(texts()).toHaveLength(2);
    await clock.advance(0.1);
    expect(texts().at(-1)).toEqual(['left']);
  });

  test('time in line for a free call counts as waiting for company', async () => {
    const { clock, sender, texts, accept } = setUp({ maxCalls: 2 });
    for (const queue of [OTHER, `${OTHER}2`]) void sender.send(queue, 'x', 1);
    await clock.settle();
    for (let n = 0; n < 11; n += 1) void sender.send(Q, String(n), 1);
    await clock.advance(3);
    accept(0);
    accept(1);
    await clock.settle();
    expect(texts().slice(2)).toEqual([['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']]);
    await clock.advance(1);
    expect(texts().at(-1)).toEqual(['10']);
  });

  test('bytes that are in a call do not fill the next one', async () => {
    const { clock, sender, texts } = setUp({ maxBytes: 10 });
    void sender.send(Q, 'a'.repeat(9), 9);
    await clock.settle();
    void sender.send(Q, 'b', 1);
    await clock.settle();
    expect(texts()).toHaveLength(1);
    void sender.send(Q, 'c'.repeat(9), 9);
    await clock.settle();
    expect(texts().at(-1)).toEqual(['b', 'c'.repeat(9)]);
  });

  test('a queue does not wait for another one', async () => {
    const { clock, transport, sender } = setUp();
    void sender.send(Q, 'a', 1);
    await clock.settle();
    void sender.send(OTHER, 'b', 1);
    await clock.settle();
    expect(transport.calls.map((call) => call.queueUrl)).toEqual([Q, OTHER]);
  });

  test('when all calls are taken, a queue with much does not keep the others out', async () => {
    const { clock, transport, sender, accept } = setUp({ maxCalls: 1 });
    for (let n = 0; n < 50; n += 1) void sender.send(Q, String(n), 2);
    void sender.send(OTHER, 'b', 1);
    await clock.settle();
    accept(0);
    await clock.settle();
    expect(transport.calls.map((call) => call.queueUrl)).toEqual([Q, OTHER]);
  });
});

describe('bounds', () => {
  test('a message that is too large never goes', async () => {
    const { sender } = setUp({ maxBytes: 10 });
    expect(await sender.send(Q, 'x'.repeat(11), 11)).toMatchObject({ failure: { kind: 'too_large' } });
  });

  test('more than may wait fail at once', async () => {
    const { sender } = setUp({ maxWaiting: 2, maxWaitingBytes: 100 });
    void sender.send(Q, 'a', 1);
    void sender.send(Q, 'b', 1);
    expect(await sender.send(Q, 'c', 1)).toMatchObject({ failure: { kind: 'overloaded' } });
  });

  test('the same by bytes', async () => {
    const { clock, sender } = setUp({ maxWaitingBytes: 10 });
    void sender.send(Q, 'a'.repeat(8), 8);
    expect(await sender.send(Q, 'bbb', 3)).toMatchObject({ failure: { kind: 'overloaded' } });
    // What is in a call does not wait any more.
    await clock.settle();
    void sender.send(Q, 'b'.repeat(10), 10);
    expect(sender.pending).toBe(2);
  });

  test('a message that finds no call within 500 to 750 ms fails as late; one that is in a call does not', async () => {
    const { clock, sender } = setUp({ maxCalls: 1 });
    void sender.send(Q, 'a', 1);
    await clock.advance(100);
    const ended: [SendResult, number][] = [];
    void sender.send(Q, 'b', 1).then((result) => ended.push([result, clock.now()]));
    await clock.advance(10_000);
    expect(ended).toEqual([[expect.objectContaining({ failure: expect.objectContaining({ kind: 'timeout' }) }), 750]]);
    expect(sender.pending).toBe(1);
    expect(clock.timers).toBe(0);
  });

  test('closed: what waits still goes, what comes later is refused', async () => {
    const { clock, sender, accept } = setUp();
    const before = sender.send(Q, 'a', 1);
    let isClosed = false;
    const closing = sender.close().then(() => {
      isClosed = true;
    });
    expect(await sender.send(Q, 'b', 1)).toMatchObject({ failure: { kind: 'closed' } });
    await clock.settle();
    expect(isClosed).toBe(false);
    accept(0);
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

  test('each call is reported with its messages and milliseconds', async () => {
    const calls: [number, number][] = [];
    const { clock, sender, accept } = setUp({ onCall: (messages, ms) => calls.push([messages, ms]) });
    for (const text of ['a', 'b']) void sender.send(Q, text, 1);
    await clock.advance(12);
    accept(0);
    await clock.settle();
    expect(calls).toEqual([[2, 12]]);
  });
});

test('messages that come at any times: each ends once, by the result of its own entry, and no call breaks a limit', async () => {
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
        const clock = new FakeClock();
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
            await (texts.length % 2 === 0 ? turn() : new Promise<void>((resolve) => clock.setTimeout(resolve, 1)));
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
        const sender = createBatchingSender(
          transport,
          { maxBytes: 100, maxCalls, gatherMs: 1, maxWaitMs: 60_000 },
          clock,
        );
        const results: Promise<SendResult>[] = [];
        for (const { queue, bytes, fails, after } of messages) {
          if (after === 'turn') await turn();
          if (after === 'ms') await clock.advance(1);
          results.push(sender.send(`q${queue}`, (fails ? '!' : '.').padEnd(bytes, 'x'), bytes));
        }
        // Each call takes a millisecond at most, and gathering another one.
        for (let ms = 0; ms <= 2 * messages.length && sender.pending > 0; ms += 1) await clock.advance(1);
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
