import { type Clock, systemClock } from '../contracts/clock.ts';
import { type Entry, Lane } from './lane.ts';
import { MAX_MESSAGE_BYTES } from './limits.ts';
import { type BatchTransport, type EventSender, failed, type SendResult } from './sender.ts';

export interface BatchingLimits {
  /** Most bytes of one message, and of all messages of one call. */
  readonly maxBytes: number;
  /** Milliseconds for one call, a retry included. */
  readonly timeoutMs: number;
  /** Longest time in milliseconds that a message waits for others while an earlier call of its queue is under way. */
  readonly gatherMs: number;
  /** Concurrent calls, over all queues. */
  readonly maxCalls: number;
  /** Messages that may wait for a call, and their bytes. Further messages fail immediately as `overloaded`. */
  readonly maxWaiting: number;
  readonly maxWaitingBytes: number;
  /** Milliseconds after which a message that still waits for a call fails as `timeout`. Checked every half of it. */
  readonly maxWaitMs: number;
  /** Called after each call with its number of messages and its time in milliseconds. */
  readonly onCall?: (messages: number, ms: number) => void;
}

/** The limits of production. */
export const BATCHING: BatchingLimits = {
  maxBytes: MAX_MESSAGE_BYTES,
  // SQS answers in 5 to 20 ms. Gladly waits 15 s in all, and when SQS fails the ledger needs most of that.
  timeoutMs: 1_500,
  // About a third of a call: more would slow down single deliveries, less would leave batches half full.
  gatherMs: 4,
  // 16 calls of ten messages at 10 ms each are 16,000 messages a second: more than one process can accept.
  maxCalls: 16,
  // One second at that rate. 64 MiB are 256 of the largest bodies.
  maxWaiting: 16_000,
  maxWaitingBytes: 64 * 1024 * 1024,
  maxWaitMs: 500,
};

/**
 * An EventSender that combines messages of one queue into batch calls of up to ten. When no call of the queue is under way, a message is
 * sent at the end of the event loop's turn, together with the others of that turn. During a call messages gather until it ends, until they
 * fill a batch, or until the oldest has waited `gatherMs`. When all calls are taken, queues get the next free ones in turn. The sender owns
 * `transport` and closes it.
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

  /** Gives each lane in line one call while calls are free. A lane with messages left goes to the end of the line. */
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

  /** Messages left in a lane wait for others, or for a free call. */
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
