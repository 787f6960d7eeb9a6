import { type Clock, systemClock } from '../../contracts/clock.ts';
import type { LedgerRow, LedgerWriter } from './ports.ts';

export interface LedgerLimits {
  /** Rows and body bytes of one write. */
  readonly maxRows: number;
  readonly maxBytes: number;
  /** Rows that may wait, and their bytes: the memory that an outage costs. Further rows fail immediately. */
  readonly maxWaiting: number;
  readonly maxWaitingBytes: number;
  /** Milliseconds from `put` to its result: a row that is not known to be durable by then fails. */
  readonly timeoutMs: number;
  /** A write that takes longer than `slowMs` no longer holds up the next one; at most `maxWrites` run at the same time. */
  readonly slowMs: number;
  readonly maxWrites: number;
}

/** The limits of production. */
export const LEDGER: LedgerLimits = {
  maxRows: 500,
  maxBytes: 4 * 1024 * 1024,
  maxWaiting: 20_000,
  maxWaitingBytes: 64 * 1024 * 1024,
  // When neither SQS nor Postgres answers, a delivery gets its 503 within 10 s. Gladly waits 15 s (gladly.md 1.3); the other 5 s are for the
  // network and a busy machine. SQS takes up to 2.25 s of the 10: 0.5 s to wait for a free call, checked every 0.25 s, and 1.5 s for the call
  // (src/queue/batching-sender.ts). The rest is for Postgres: a write usually takes milliseconds, but under a burst of 20,000 deliveries on
  // two cores with SQS out, one delivery in twelve took more than 2.5 s (measured).
  timeoutMs: 7_000,
  // A write that hangs on a dead connection would otherwise use up the time of all rows that wait behind it.
  slowMs: 1_000,
  // Each needs a connection; keys, delivery stats and wakes need the other three of the pool (INGEST_DB in ingest.ts).
  maxWrites: 2,
};

/** Combines rows that arrive together into one write. Writes run one after the other, unless one is slow. */
export interface LedgerBatcher {
  /** True when the row is durable. False when that is not known: it failed, was given up, or found no room. Never rejects. */
  put(row: LedgerRow): Promise<boolean>;
  /** Rows that wait or are being written. A row whose `put` has timed out counts until its write ends. */
  readonly pending: number;
  /** Resolves when all rows given before have been written or have failed. */
  close(): Promise<void>;
}

interface Waiting {
  readonly row: LedgerRow;
  readonly settle: (durable: boolean) => void;
}

/** `onError` gets the error of each write that failed and its number of rows. */
export function createLedgerBatcher(
  writer: LedgerWriter,
  onError: (error: unknown, rows: number) => void,
  given: Partial<LedgerLimits> = {},
  clock: Clock = systemClock,
): LedgerBatcher {
  const limits: LedgerLimits = { ...LEDGER, ...given };
  const waiting: Waiting[] = [];
  let waitingBytes = 0;
  let beingWritten = 0;
  const writes = new Set<Promise<void>>();
  let writing: Promise<void> | null = null;

  function put(row: LedgerRow): Promise<boolean> {
    if (waiting.length >= limits.maxWaiting || waitingBytes + row.body.length > limits.maxWaitingBytes) {
      return Promise.resolve(false);
    }
    waitingBytes += row.body.length;
    return new Promise((resolve) => {
      const entry: Waiting = {
        row,
        settle(durable) {
          clock.clearTimeout(timer);
          resolve(durable);
        },
      };
      const timer = clock.setTimeout(() => {
        entry.settle(false);
        // Not being written yet: its sender is told to send it again, so it need not be written.
        const at = waiting.indexOf(entry);
        if (at >= 0) drop(waiting.splice(at, 1));
      }, limits.timeoutMs);
      waiting.push(entry);
      writing ??= nextTurn().then(writeAll);
    });
  }

  async function writeAll(): Promise<void> {
    for (let batch = takeBatch(); batch.length > 0; batch = takeBatch()) {
      const mine: Promise<void> = write(batch).finally(() => writes.delete(mine));
      writes.add(mine);
      await doneOrSlow(mine);
      while (writes.size >= limits.maxWrites) await Promise.race(writes);
    }
    writing = null;
  }

  function doneOrSlow(write: Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const slow = clock.setTimeout(resolve, limits.slowMs);
    void write.then(() => {
      clock.clearTimeout(slow);
      resolve();
    });
    return promise;
  }

  function takeBatch(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { row } of waiting) {
      if (count === limits.maxRows || (count > 0 && bytes + row.body.length > limits.maxBytes)) break;
      bytes += row.body.length;
      count += 1;
    }
    return drop(waiting.splice(0, count));
  }

  function drop(entries: Waiting[]): Waiting[] {
    for (const { row } of entries) waitingBytes -= row.body.length;
    return entries;
  }

  async function write(batch: readonly Waiting[]): Promise<void> {
    let durable: readonly boolean[] = [];
    beingWritten += batch.length;
    try {
      durable = await writer.put(batch.map((entry) => entry.row));
    } catch (error) {
      onError(error, batch.length);
    }
    beingWritten -= batch.length;
    batch.forEach((entry, index) => {
      entry.settle(durable[index] === true);
    });
  }

  return {
    put,
    get pending() {
      return waiting.length + beingWritten;
    },
    async close() {
      await writing;
      await Promise.all(writes);
    },
  };
}

/** Rows that arrive in the same turn of the event loop go into the same write. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
