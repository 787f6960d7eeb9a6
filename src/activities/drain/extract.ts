import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Problem } from '../../contracts/problems.ts';
import { type ConversationResult, nothing } from '../../contracts/reading.ts';
import type { GladlyClient } from '../../gladly/client.ts';
import { GladlyError } from '../../gladly/errors.ts';
import {
  AT_ONCE_AGAIN_MS,
  CONVERSATIONS_PER_TRANSACTION,
  FAILING_ALONE,
  GATHER_READINGS_MS,
  READING_RETRY_MS,
  READINGS,
} from './limits.ts';
import { nextEvent } from './next-event.ts';
import { type DueConversation, readConversation } from './read-conversation.ts';

/** What extract needs: the ledger, and Gladly. */
export interface ExtractDeps {
  /** Conversations that are due, the neediest first, without those in `except`; with their waiting events. */
  due(limit: number, except: ReadonlySet<string>): Promise<readonly DueConversation[]>;
  /** Milliseconds until the next conversation is due; null when none waits. */
  nextDueMs(except: ReadonlySet<string>): Promise<number | null>;
  /** Under the drain's fence. Resolves with what became of each, in order: one that the store refuses is put off or rejected instead. */
  store(results: readonly ConversationResult[]): Promise<readonly ConversationResult[]>;
  /** Called after each `store`, with what became of the conversations that it was given. */
  stored(results: readonly StoredResult[]): void;
  /** What Gladly is asked through. */
  readonly client: GladlyClient;
  /** Conversations to read at once, given what the quota allows now. */
  readingsAtOnce(): number;
}

export interface StoredResult {
  readonly result: ConversationResult;
  readonly due: DueConversation;
}

/** Why extraction cannot go on: Gladly is in trouble, or a person must do something. */
export interface Obstacle {
  readonly kind: 'waiting_for_gladly' | 'needs_attention';
  readonly problem: Problem;
}

/** Longest wait between two queries for due conversations, in ms, when intake reports nothing new. */
const LONGEST_SLEEP_MS = 1_000;

/** Reads the conversations that have waiting events and stores them, side by side with intake. What is in memory is bounded. */
export class Extract {
  readonly #deps: ExtractDeps;
  readonly #events = new EventEmitter();
  readonly #inHand = new Set<string>();
  readonly #reading = new Set<Promise<void>>();
  #read: StoredResult[] = [];
  #worked = 0;
  /** Conversations that failed since one went well. */
  readonly #failing = new Set<string>();
  /** An error that is no answer of Gladly's: a mistake of ours. */
  #broken: unknown;
  #idleSince = performance.now();
  readonly counts = { extracted: 0, gone: 0, rejected: 0 };
  /** Set once: extraction has stopped then. */
  obstacle: Obstacle | undefined;
  /** Conversations whose reading went well. */
  get worked(): number {
    return this.#worked;
  }

  constructor(deps: ExtractDeps) {
    this.#deps = deps;
  }

  /** Milliseconds since something was last read or stored. */
  get idleMs(): number {
    return this.#inHand.size > 0 ? 0 : performance.now() - this.#idleSince;
  }

  /** Something new may be due. */
  nudge(): void {
    this.#events.emit('nudge');
  }

  /**
   * Runs until `enough`, and then finishes what it is reading: its calls are spent. On `stop`, and for an obstacle, it gives up what it
   * is reading. In each case it stores what it has read. Throws what `store` and `due` throw: the events of what is not stored still wait.
   */
  async run(stop: AbortSignal, enough: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const signal = AbortSignal.any([stop, ended.signal]);
    const noMore = AbortSignal.any([signal, enough]);
    const storing = this.#storeAll(noMore);
    // Awaited below; a failure must end the readings too.
    storing.catch(() => ended.abort());
    try {
      while (!noMore.aborted && !this.obstacle) await this.#readMore(signal, noMore, ended);
      while (!signal.aborted && !this.obstacle && this.#reading.size > 0) {
        await nextEvent(this.#events, ['free', 'obstacle'], signal, LONGEST_SLEEP_MS);
      }
    } finally {
      ended.abort();
      await Promise.allSettled(this.#reading);
      this.#events.emit('read');
      await storing;
    }
    if (this.#broken !== undefined) throw this.#broken;
  }

  async #readMore(stop: AbortSignal, noMore: AbortSignal, ended: AbortController): Promise<void> {
    // Conversations that are read and not stored yet use memory, not reading capacity.
    await this.#gather(['free', 'stored'], () => READINGS - this.#inHand.size >= READINGS / 4, noMore);
    const free = Math.min(this.#deps.readingsAtOnce() - this.#reading.size, READINGS - this.#inHand.size);
    const due = free > 0 ? await this.#deps.due(free, this.#inHand) : [];
    for (const conversation of due) this.#start(conversation, stop, ended);
    if (due.length > 0 && due.length < free) return;
    if (free > 0 && due.length === 0) {
      const nextMs = (await this.#deps.nextDueMs(this.#inHand)) ?? LONGEST_SLEEP_MS;
      await nextEvent(
        this.#events,
        ['nudge', 'stored', 'obstacle'],
        noMore,
        Math.max(1, Math.min(nextMs, LONGEST_SLEEP_MS)),
      );
    } else if (free <= due.length) {
      await nextEvent(this.#events, ['free', 'stored', 'obstacle'], noMore, LONGEST_SLEEP_MS);
    }
  }

  #start(due: DueConversation, stop: AbortSignal, ended: AbortController): void {
    this.#inHand.add(due.conversationId);
    const reading = this.#readOne(due, stop)
      .catch((error: unknown) => {
        this.#broken ??= error;
        ended.abort();
      })
      .finally(() => {
        this.#reading.delete(reading);
        this.#events.emit('free');
      });
    this.#reading.add(reading);
  }

  async #readOne(due: DueConversation, stop: AbortSignal): Promise<void> {
    const workedBefore = this.#worked;
    for (let tries = 1; ; tries += 1) {
      try {
        this.#keep(await readConversation(this.#deps.client, due, stop), due);
        this.#worked += 1;
        this.#failing.clear();
        return;
      } catch (error) {
        if (stop.aborted) {
          this.#letGo(due.conversationId);
          return;
        }
        if (!(error instanceof GladlyError)) throw error;
        const wait = error.retryable && error.kind !== 'rate_limited' ? AT_ONCE_AGAIN_MS[tries - 1] : undefined;
        if (wait === undefined || this.obstacle) {
          await this.#giveUp(due, error, this.#worked > workedBefore, stop);
          return;
        }
        await sleep(wait, undefined, { signal: stop }).catch(() => undefined);
      }
    }
  }

  /** `othersWork`: other readings went well meanwhile, so it is not Gladly as a whole. */
  async #giveUp(due: DueConversation, error: GladlyError, othersWork: boolean, stop: AbortSignal): Promise<void> {
    const mayBeItsOwn = error.retryable && error.kind !== 'rate_limited' && !this.obstacle;
    if (isAboutOne(error) || (mayBeItsOwn && (othersWork || (await this.#isAlone(due, stop))))) {
      this.#keep(afterFailure(due, error), due);
      return;
    }
    this.#letGo(due.conversationId);
    // The governor slows us down for a 429; the conversation has done nothing wrong, and is due again.
    if (stop.aborted || error.kind === 'rate_limited') return;
    this.#stopFor({ kind: error.retryable ? 'waiting_for_gladly' : 'needs_attention', problem: error.problem });
  }

  /** True when Gladly answers otherwise, and few conversations have failed since the last one that did not. */
  async #isAlone(due: DueConversation, stop: AbortSignal): Promise<boolean> {
    this.#failing.add(due.conversationId);
    if (this.#failing.size > FAILING_ALONE) return false;
    return this.#deps.client.getOrganization(stop).then(
      () => true,
      () => false,
    );
  }

  #stopFor(obstacle: Obstacle): void {
    this.obstacle ??= obstacle;
    this.#events.emit('obstacle');
  }

  #keep(result: ConversationResult, due: DueConversation): void {
    this.#read.push({ result, due });
    this.#events.emit('read');
  }

  #letGo(conversationId: string): void {
    this.#inHand.delete(conversationId);
    this.#idleSince = performance.now();
    this.#events.emit('stored');
  }

  async #storeAll(ended: AbortSignal): Promise<void> {
    while (!ended.aborted || this.#reading.size > 0 || this.#read.length > 0) {
      await this.#gather(['read'], () => this.#read.length >= CONVERSATIONS_PER_TRANSACTION, ended);
      const batch = this.#read.splice(0, CONVERSATIONS_PER_TRANSACTION);
      if (batch.length === 0) {
        await once(this.#events, 'read');
        continue;
      }
      const results = await this.#deps.store(batch.map(({ result }) => result));
      const stored = batch.map(({ due, result }, n) => ({ due, result: results[n] ?? result }));
      this.#deps.stored(stored);
      for (const { result } of stored) {
        this.counts.extracted += result.extracted.length;
        this.counts.gone += result.gone.length;
        this.counts.rejected += result.rejected.length;
        this.#letGo(result.conversationId);
      }
    }
  }

  /** With much in hand, waits a moment until there is enough to do at once. */
  async #gather(events: readonly string[], enough: () => boolean, unless: AbortSignal): Promise<void> {
    const end = performance.now() + GATHER_READINGS_MS;
    while (this.#inHand.size >= READINGS / 2 && !enough() && !this.obstacle) {
      const left = end - performance.now();
      if (left <= 0 || unless.aborted) return;
      await nextEvent(this.#events, events, unless, left);
    }
  }
}

/** Trouble that one conversation can have by itself; anything else is trouble with Gladly, the token or the address. */
function isAboutOne(error: GladlyError): boolean {
  return ['too_large', 'bad_request', 'invalid_id', 'unexpected', 'moved', 'not_found'].includes(error.kind);
}

/** Later and later; what no time will heal is rejected in the end, with its reason. */
function afterFailure(due: DueConversation, error: GladlyError): ConversationResult {
  const inMs = READING_RETRY_MS[error.retryable ? Math.min(due.failures, READING_RETRY_MS.length - 1) : due.failures];
  const eventIds = due.events.map(({ eventId }) => eventId);
  if (inMs !== undefined) return { ...nothing(due.conversationId), failed: { inMs, reason: error.problem.code } };
  return {
    ...nothing(due.conversationId),
    rejected: eventIds.map((eventId) => ({ eventId, reason: error.problem.code })),
  };
}

/** How many conversations to read at once: enough to use what the quota allows with answers of a second, and no more, so that a
 * fresh conversation does not queue behind a backlog. */
export function readingsAtOnce(allowedPerSecond: number | null): number {
  return allowedPerSecond === null ? READINGS : Math.min(READINGS, Math.max(4, Math.ceil(allowedPerSecond)));
}
