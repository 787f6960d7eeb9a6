import { type Clock, systemClock } from '../contracts/clock.ts';
import { type Entry, Lane } from './lane.ts';
import { MAX_MESSAGE_BYTES } from './limits.ts';
import { type BatchTransport, type EventSender, failed, type SendResult } from './sender.ts';

export interface BatchingLimits {
  /** Bytes of one message and of one batch. */
  readonly maxBytes: number;
  /** Time for one call, all tries together. */
  readonly timeoutMs: number;
  /** A message that waits for company while an earlier call of its queue is under way goes at the latest after this. */
  readonly gatherMs: number;
  /** Calls at the same time, all queues together. */
  readonly maxCalls: number;
  /** Messages waiting for a call, and their bytes; beyond, a message fails at once as `overloaded`. */
  readonly maxWaiting: number;
  readonly maxWaitingBytes: number;
  /** A message that found no free call for so long fails as `timeout`. */
  readonly maxWaitMs: number;
  /** Told of each call that ended: how many messages, and how long it took. */
  readonly onCall?: (messages: number, ms: number) => void;
}

export const BATCHING: BatchingLimits = {
  maxBytes: MAX_MESSAGE_BYTES,
  // SQS answers in 5 to 20 ms. Gladly waits 15 s in all, and the ledger needs its part of that when SQS fails.
  timeoutMs: 1_500,
  // A third of a call: more would be felt by a single delivery, less would leave batches half full.
  gatherMs: 4,
  // 16 calls of ten at 10 ms each are 16,000 messages a second: more than one process can take in.
  maxCalls: 16,
  // A second's worth at that rate. 64 MiB are 256 of the largest bodies.
  maxWaiting: 16_000,
  maxWaitingBytes: 64 * 1024 * 1024,
  maxWaitMs: 500,
};

/**
 * Puts messages that arrive together into one call. The first of a quiet queue goes at once (at the end of the event loop's turn,
 * so that what arrived in the same turn goes with it); while a call is under way the next ones gather, until they
 * fill a batch or the oldest has waited `gatherMs`.
 */
export function createBatchingSender(
  transport: BatchTransport,
  given: Partial<BatchingLimits> = {},
  clock: Clock = systemClock,
): EventSender {
  const limits: BatchingLimits = { ...BATCHING, ...given };
  const lanes = new Map<string, Lane>();
  const line: Lane[] = [];
  let turnIsSet = false;
  let sweepIsSet = false;
  let calls = 0;
  let waiting = 0;
  let waitingBytes = 0;
  let underWay = 0;
  let whenEmpty: (() => void) | null = null;

  function send(queueUrl: string, text: string, bytes: number): Promise<SendResult> {
    if (bytes > limits.maxBytes) return Promise.resolve(failed({ kind: 'too_large', code: `${bytes} bytes` }));
    if (whenEmpty !== null) return Promise.resolve(failed({ kind: 'closed', code: 'closed' }));
    if (waiting >= limits.maxWaiting || waitingBytes + bytes > limits.maxWaitingBytes) {
      return Promise.resolve(failed({ kind: 'overloaded', code: 'too many wait' }));
    }
    waiting += 1;
    waitingBytes += bytes;
    setSweep();
    return new Promise((settle) => {
      const lane = laneOf(queueUrl);
      lane.add({ text, bytes, since: clock.now(), settle });
      if (lane.calls === 0 || lane.hasFullBatch) putInLine(lane);
      else lane.due ??= clock.setTimeout(() => putInLine(lane), limits.gatherMs);
    });
  }

  function laneOf(queueUrl: string): Lane {
    let lane = lanes.get(queueUrl);
    if (lane === undefined) {
      lane = new Lane(queueUrl, limits.maxBytes);
      lanes.set(queueUrl, lane);
    }
    return lane;
  }

  function putInLine(lane: Lane): void {
    if (lane.inLine || lane.waiting === 0) return;
    lane.inLine = true;
    line.push(lane);
    setTurn();
  }

  function setTurn(): void {
    if (turnIsSet || calls >= limits.maxCalls) return;
    turnIsSet = true;
    setImmediate(takeTurn);
  }

  /** Each lane in line gets a call, in order, as long as calls are free; a lane with more gets further ones behind the others. */
  function takeTurn(): void {
    turnIsSet = false;
    const now = clock.now();
    while (calls < limits.maxCalls) {
      const lane = line.shift();
      if (lane === undefined) return;
      lane.inLine = false;
      const batch = taken(lane.takeBatch());
      if (batch.length > 0) call(lane, batch, now);
      gather(lane, now);
    }
  }

  /** Those left in a lane wait for company, or for a free call. */
  function gather(lane: Lane, now: number): void {
    if (lane.due !== null) clock.clearTimeout(lane.due);
    lane.due = null;
    if (lane.hasFullBatch) putInLine(lane);
    else if (lane.waiting > 0) {
      lane.due = clock.setTimeout(() => putInLine(lane), Math.max(0, lane.oldestSince + limits.gatherMs - now));
    }
  }

  function taken(entries: Entry[]): Entry[] {
    waiting -= entries.length;
    for (const entry of entries) waitingBytes -= entry.bytes;
    return entries;
  }

  function call(lane: Lane, batch: Entry[], began: number): void {
    calls += 1;
    lane.calls += 1;
    underWay += batch.length;
    const texts = batch.map((entry) => entry.text);
    transport.sendBatch(lane.queueUrl, texts, limits.timeoutMs).then(
      (results) => finish(lane, batch, results, began),
      () => finish(lane, batch, [], began),
    );
  }

  function finish(lane: Lane, batch: Entry[], results: readonly SendResult[], began: number): void {
    calls -= 1;
    lane.calls -= 1;
    underWay -= batch.length;
    batch.forEach((entry, index) => {
      entry.settle(results[index] ?? NO_RESULT);
    });
    limits.onCall?.(batch.length, clock.now() - began);
    if (lane.calls === 0) putInLine(lane);
    prune(lane);
    if (line.length > 0) setTurn();
  }

  function prune(lane: Lane): void {
    if (lane.waiting > 0 || lane.calls > 0) return;
    if (lane.due !== null) clock.clearTimeout(lane.due);
    lane.due = null;
    lanes.delete(lane.queueUrl);
    if (waiting === 0 && calls === 0) whenEmpty?.();
  }

  function setSweep(): void {
    if (sweepIsSet) return;
    sweepIsSet = true;
    clock.setTimeout(sweep, limits.maxWaitMs / 2);
  }

  function sweep(): void {
    sweepIsSet = false;
    const limit = clock.now() - limits.maxWaitMs;
    for (const lane of lanes.values()) {
      if (lane.oldestSince > limit) continue;
      for (const entry of taken(lane.takeOlderThan(limit))) entry.settle(WAITED_TOO_LONG);
      prune(lane);
    }
    if (waiting > 0) setSweep();
  }

  return {
    send,
    get pending() {
      return waiting + underWay;
    },
    async close() {
      if (whenEmpty !== null) return;
      await new Promise<void>((resolve) => {
        whenEmpty = resolve;
        if (waiting === 0 && calls === 0) resolve();
        for (const lane of lanes.values()) putInLine(lane);
      });
      await transport.close();
    },
  };
}

const NO_RESULT = failed({ kind: 'server', code: 'no result for this entry' });
const WAITED_TOO_LONG = failed({ kind: 'timeout', code: 'waited too long for a call' });
