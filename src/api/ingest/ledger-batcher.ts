import { type Clock, systemClock } from '../../contracts/clock.ts';
import type { LedgerRow, LedgerWriter } from './ports.ts';

export interface LedgerLimits {
  /** Rows and body bytes of one write. */
  readonly maxRows: number;
  readonly maxBytes: number;
  /** Rows that wait and their bytes: what an outage may cost in memory. Beyond, a row fails at once. */
  readonly maxWaiting: number;
  readonly maxWaitingBytes: number;
  /** From being given to being durable. */
  readonly timeoutMs: number;
  /** A write that takes longer does not hold up the next one any more; so many are under way at most. */
  readonly slowMs: number;
  readonly maxWrites: number;
}

export const LEDGER: LedgerLimits = {
  maxRows: 500,
  maxBytes: 4 * 1024 * 1024,
  maxWaiting: 20_000,
  maxWaitingBytes: 64 * 1024 * 1024,
  // A delivery that finds neither SQS nor Postgres answering is told so within 10 s: of Gladly's patience (15 s, facts.md 1.3) a third is left for
  // the network and for a busy machine. SQS takes up to 2.25 s: 0.5 s for a free call, looked at every 0.25 s, and 1.5 s for the call
  // (src/queue/batching-sender.ts). The rest is Postgres': a write takes milliseconds, but with SQS out it is the last resort, and on two cores
  // under a burst of 20,000 it took more than 2.5 s for one delivery in twelve.
  timeoutMs: 7_000,
  // One that hangs on a dead connection would otherwise use up the time of all that wait behind it.
  slowMs: 1_000,
  // Each needs a connection of its own, and keys, sightings and rings need the other three of ingest's pool.
  maxWrites: 2,
};

/** Puts rows that arrive together into one write, and one write after the other unless one is slow. */
export interface LedgerBatcher {
  /** True when it is durable. False when it is not known to be. Never throws. */
  put(row: LedgerRow): Promise<boolean>;
  /** Rows that wait or are being written; given up or not, a row counts until its write has ended. */
  readonly pending: number;
  close(): Promise<void>;
}

interface Waiting {
  readonly row: LedgerRow;
  readonly settle: (durable: boolean) => void;
}

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
        // Still waiting: whoever sent it is told to send it again, so it need not be written any more.
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

/** What arrives in the same turn of the event loop goes into the same write. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
