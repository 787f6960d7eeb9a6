import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { MAX_MESSAGE_BYTES } from '../../queue/limits.ts';
import {
  BYTES_PER_TRANSACTION,
  GATHER_ROWS_MS,
  QUEUE_RETRY_MS,
  RECEIVERS,
  ROWS_IN_MEMORY,
  ROWS_PER_TRANSACTION,
} from './limits.ts';
import { nextEvent } from './next-event.ts';
import type { Room } from './room.ts';

/** What SQS gives at most in one receive. */
const FULL_RECEIVE = 10;
const LARGEST_RECEIVE = FULL_RECEIVE * MAX_MESSAGE_BYTES;

/** One message of the tenant's queue, ready to be written. `row` is null when nothing of it belongs into the ledger (a PING). */
export interface TakenMessage<Row> {
  readonly handle: string;
  readonly row: Row | null;
  /** Size of the message. */
  readonly bytes: number;
}

export interface WrittenRows<Row> {
  /** Rows that were not in the ledger before. */
  readonly inserted: number;
  /** Rows that could not be written in any form. Their messages stay in the queue, which sets them aside in the end. */
  readonly refused: readonly Row[];
}

/** What intake needs: the queue, and the ledger. */
export interface IntakeDeps<Row> {
  /** At most ten messages; waits up to `waitSeconds` for the first. */
  receive(waitSeconds: number, signal: AbortSignal): Promise<readonly TakenMessage<Row>[]>;
  /** How long the receive waits that waits for the next event: 1 to 20. */
  readonly waitSeconds: number;
  /** Under the drain's fence. A row that cannot be written costs itself alone. */
  write(rows: readonly Row[]): Promise<WrittenRows<Row>>;
  /** Makes messages visible again soon: they are another drain's. Never throws. */
  release(handles: readonly string[]): Promise<void>;
  /** True for an error of `write` that says so. */
  isAnothers(error: unknown): boolean;
  /** Deletes from the queue, trying again what SQS could not do. Never throws: what stays is seen again, and written once all the same. */
  remove(handles: readonly string[]): Promise<void>;
}

/**
 * Empties the queue into the ledger at its own speed, whatever Gladly does. A message is deleted only after its row is
 * committed. Receiving, writing and deleting overlap; what is in memory is bounded.
 */
export class Intake<Row> {
  readonly #deps: IntakeDeps<Row>;
  readonly #room: Room;
  readonly #events = new EventEmitter();
  #waiting: TakenMessage<Row>[] = [];
  #receivers = 0;
  #deleting = new Set<Promise<void>>();
  #lastFound = performance.now();
  /** Rows that were not in the ledger before. */
  takenIn = 0;
  /** When the queue was last seen empty: what is in it came later. */
  emptyAt: Date | null = null;
  /** Why the queue could not be read last time; undefined while it can. The rest of a drain does not need the queue. */
  trouble: unknown;

  constructor(deps: IntakeDeps<Row>, room: Room) {
    this.#deps = deps;
    this.#room = room;
  }

  /** Milliseconds since a message was last found. */
  get idleMs(): number {
    return this.#receivers > 1 || this.#waiting.length > 0 || this.#room.isFull
      ? 0
      : performance.now() - this.#lastFound;
  }

  /** Calls back whenever something is received. */
  onFound(callback: () => void): void {
    this.#events.on('received', callback);
  }

  /** Calls back after each commit that brought something new, and when the queue could not be read: then others may have brought something. */
  onTaken(callback: () => void): void {
    this.#events.on('taken', callback);
  }

  /** Runs until `stop`; then writes and deletes what it holds. Throws what `write` throws: nothing that is not committed is deleted. */
  async run(stop: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const signal = AbortSignal.any([stop, ended.signal]);
    const receiving = this.#receiveAll(signal);
    try {
      await Promise.all([receiving, this.#writeAll(receiving)]);
    } catch (error) {
      // Anything else may be over soon, and each receive counts: what was received is seen again after its visibility timeout.
      if (this.#deps.isAnothers(error)) await this.#deps.release(this.#waiting.map(({ handle }) => handle));
      throw error;
    } finally {
      ended.abort();
      await Promise.allSettled([receiving, ...this.#deleting]);
      this.#forget(this.#waiting.length);
    }
  }

  /** Looks once more, waiting up to a second: a short poll asks only some of SQS's servers. True when something was found. */
  async look(stop: AbortSignal): Promise<boolean> {
    const found = await this.#deps.receive(1, stop);
    if (found.length === 0) return false;
    this.#took(found);
    try {
      await this.#writeBatch();
    } finally {
      this.#forget(this.#waiting.length);
    }
    await Promise.all(this.#deleting);
    return true;
  }

  /** One receiver waits for what comes; while receives are full, up to RECEIVERS empty the queue together. */
  async #receiveAll(stop: AbortSignal): Promise<void> {
    const helpers = new Set<Promise<void>>();
    const receive = async (waitSeconds: number): Promise<number> => {
      while (this.#waiting.length >= ROWS_IN_MEMORY && !stop.aborted) await nextEvent(this.#events, ['written'], stop);
      // What comes is large in a backlog only, so the one that waits for the next event reserves nothing.
      const reserved = await this.#room.reserve(waitSeconds === 0 ? LARGEST_RECEIVE : 0, stop);
      if (stop.aborted) {
        this.#room.giveBack(reserved);
        return 0;
      }
      try {
        const asked = new Date();
        const found = await this.#deps.receive(waitSeconds, stop);
        this.trouble = undefined;
        // A short poll asks only some of SQS's servers, and one that was broken off says nothing.
        if (found.length === 0 && waitSeconds > 0 && !stop.aborted) this.emptyAt = asked;
        this.#took(found);
        return found.length;
      } catch (error) {
        if (stop.aborted) return 0;
        this.trouble = error;
        // What cannot go through the queue goes into the ledger.
        this.#events.emit('taken');
        await sleep(QUEUE_RETRY_MS, undefined, { signal: stop }).catch(() => undefined);
        return 0;
      } finally {
        this.#room.giveBack(reserved);
      }
    };
    const help = async (): Promise<void> => {
      this.#receivers += 1;
      try {
        while ((await receive(0)) > 0);
      } finally {
        this.#receivers -= 1;
      }
    };
    this.#receivers += 1;
    try {
      while (!stop.aborted) {
        if ((await receive(this.#deps.waitSeconds)) < FULL_RECEIVE) continue;
        while (helpers.size < RECEIVERS - 1) {
          const helper = help().finally(() => helpers.delete(helper));
          helpers.add(helper);
        }
      }
    } finally {
      this.#receivers -= 1;
      await Promise.all(helpers);
    }
  }

  #took(found: readonly TakenMessage<Row>[]): void {
    if (found.length === 0) return;
    this.#lastFound = performance.now();
    this.#waiting.push(...found);
    this.#room.take(sizeOf(found));
    this.#events.emit('received');
  }

  async #writeAll(receiving: Promise<void>): Promise<void> {
    const over = new AbortController();
    const noMore = receiving.finally(() => over.abort());
    while (this.#waiting.length > 0 || !over.signal.aborted) {
      await this.#gather(over.signal);
      if (this.#waiting.length > 0) await this.#writeBatch();
      else await nextEvent(this.#events, ['received'], over.signal);
    }
    await noMore;
  }

  /** While several receivers bring full hands, more is worth a moment's wait. */
  async #gather(unless: AbortSignal): Promise<void> {
    if (this.#waiting.length === 0 || this.#receivers < 2) return;
    const end = performance.now() + GATHER_ROWS_MS;
    while (this.#waiting.length < ROWS_PER_TRANSACTION && !unless.aborted) {
      const left = end - performance.now();
      if (left <= 0) return;
      await nextEvent(this.#events, ['received'], unless, left);
    }
  }

  async #writeBatch(): Promise<void> {
    const batch = this.#waiting.slice(0, this.#batchSize());
    const rows = batch.flatMap(({ row }) => (row === null ? [] : [row]));
    const { inserted, refused } = rows.length === 0 ? { inserted: 0, refused: [] } : await this.#deps.write(rows);
    this.#forget(batch.length);
    this.takenIn += inserted;
    const stay = new Set<Row | null>(refused);
    const done = batch.filter(({ row }) => row === null || !stay.has(row));
    const deleting = this.#deps.remove(done.map(({ handle }) => handle)).finally(() => this.#deleting.delete(deleting));
    this.#deleting.add(deleting);
    this.#events.emit('written');
    if (inserted > 0) this.#events.emit('taken');
  }

  /** Messages of the next transaction: bounded by number and by bytes, and one at least. */
  #batchSize(): number {
    let bytes = 0;
    const end = this.#waiting.findIndex((message, n) => {
      bytes += message.bytes;
      return n > 0 && (n === ROWS_PER_TRANSACTION || bytes > BYTES_PER_TRANSACTION);
    });
    return end === -1 ? this.#waiting.length : end;
  }

  /** Lets go of the first messages: they are written, or nobody writes them any more and they are received again. */
  #forget(count: number): void {
    this.#room.giveBack(sizeOf(this.#waiting.splice(0, count)));
  }
}

const sizeOf = (messages: readonly TakenMessage<unknown>[]): number =>
  messages.reduce((sum, { bytes }) => sum + bytes, 0);
