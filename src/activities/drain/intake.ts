import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { GATHER_ROWS_MS, QUEUE_RETRY_MS, RECEIVERS, ROWS_IN_MEMORY, ROWS_PER_TRANSACTION } from './limits.ts';
import { nextEvent } from './next-event.ts';

/** What SQS gives at most in one receive. */
const FULL_RECEIVE = 10;

/** One message of the tenant's queue, ready to be written. `row` is null when nothing of it belongs into the ledger (a PING). */
export interface TakenMessage<Row> {
  readonly handle: string;
  readonly row: Row | null;
}

/** What intake needs: the queue, and the ledger. */
export interface IntakeDeps<Row> {
  /** At most ten messages; waits up to `waitSeconds` for the first. Messages that are not ours are left where they are. */
  receive(waitSeconds: 0 | 1, signal: AbortSignal): Promise<readonly TakenMessage<Row>[]>;
  /** In one transaction, under the drain's fence. Answers how many were not there yet. */
  write(rows: readonly Row[]): Promise<number>;
  /** Deletes from the queue, trying again what SQS could not do. Never throws: what stays is seen again, and written once all the same. */
  remove(handles: readonly string[]): Promise<void>;
}

/**
 * Empties the queue into the ledger at its own speed, whatever Gladly does. A message is deleted only after its row is
 * committed. Receiving, writing and deleting overlap; what is in memory is bounded.
 */
export class Intake<Row> {
  readonly #deps: IntakeDeps<Row>;
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

  constructor(deps: IntakeDeps<Row>) {
    this.#deps = deps;
  }

  /** Milliseconds since a message was last found. */
  get idleMs(): number {
    return this.#receivers > 1 || this.#waiting.length > 0 ? 0 : performance.now() - this.#lastFound;
  }

  /** Calls back after each commit that brought something new. */
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
    } finally {
      ended.abort();
      await Promise.allSettled([receiving, ...this.#deleting]);
    }
  }

  /** Looks once more, waiting up to a second: a short poll asks only some of SQS's servers. True when something was found. */
  async look(stop: AbortSignal): Promise<boolean> {
    const found = await this.#deps.receive(1, stop);
    if (found.length === 0) return false;
    this.#took(found);
    await this.#writeBatch();
    await Promise.all(this.#deleting);
    return true;
  }

  /** One receiver waits for what comes; while receives are full, up to RECEIVERS empty the queue together. */
  async #receiveAll(stop: AbortSignal): Promise<void> {
    const helpers = new Set<Promise<void>>();
    const receive = async (waitSeconds: 0 | 1): Promise<number> => {
      while (this.#waiting.length >= ROWS_IN_MEMORY && !stop.aborted) await nextEvent(this.#events, ['written'], stop);
      if (stop.aborted) return 0;
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
        await sleep(QUEUE_RETRY_MS, undefined, { signal: stop }).catch(() => undefined);
        return 0;
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
        if ((await receive(1)) < FULL_RECEIVE) continue;
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
    const batch = this.#waiting.slice(0, ROWS_PER_TRANSACTION);
    const rows = batch.flatMap(({ row }) => (row === null ? [] : [row]));
    const fresh = rows.length === 0 ? 0 : await this.#deps.write(rows);
    this.#waiting = this.#waiting.slice(batch.length);
    this.takenIn += fresh;
    const deleting = this.#deps
      .remove(batch.map(({ handle }) => handle))
      .finally(() => this.#deleting.delete(deleting));
    this.#deleting.add(deleting);
    this.#events.emit('written');
    if (fresh > 0) this.#events.emit('taken');
  }
}
