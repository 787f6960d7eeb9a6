import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Problem, problem } from '../../contracts/problems.ts';
import { type ConversationResult, nothing } from '../../contracts/reading.ts';
import { type GladlyClient, ITEMS_PATH } from '../../gladly/client.ts';
import { GladlyError } from '../../gladly/errors.ts';
import { GladlyAtLarge, type Trouble, type Witnesses } from './gladly-at-large.ts';
import {
  AT_ONCE_AGAIN_MS,
  CONVERSATIONS_PER_TRANSACTION,
  DOUBT_RETRY_MS,
  FAILING_ALONE,
  FIRST_BYTES,
  GATHER_READINGS_MS,
  LEDGER_LOOK_MS,
  LIST_GIVEN_UP,
  LONGEST_HOLD_MS,
  MAINTENANCE_MS,
  MOST_BYTES,
  READING_RETRY_MS,
  READINGS,
} from './limits.ts';
import { nextEvent } from './next-event.ts';
import { type DueConversation, readConversation } from './read-conversation.ts';
import { type Room, Share } from './room.ts';

/** What extract needs: the ledger, and Gladly. */
export interface ExtractDeps extends Witnesses {
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
  /** Milliseconds that Gladly has not answered as it should; 0 while it does. */
  troubledForMs(): number;
  /** Milliseconds for which Gladly wants to be asked nothing, after a 429. */
  heldMs(): number;
  /** How long something that an event names may stay away, in ms. */
  readonly patienceMs: number;
  /** Memory for what is read, until it is stored. */
  readonly room: Room;
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

/** Longest wait between two queries for due conversations, in ms, while some are in hand. */
const LONGEST_SLEEP_MS = 1_000;

/** Reads the conversations that have waiting events and stores them, side by side with intake. What is in memory is bounded. */
export class Extract {
  readonly #deps: ExtractDeps;
  readonly #events = new EventEmitter();
  readonly #inHand = new Set<string>();
  /** What each of them holds of the worker's memory. */
  readonly #shares = new Map<string, Share>();
  readonly #reading = new Set<Promise<void>>();
  #read: StoredResult[] = [];
  #worked = 0;
  /** Conversations that failed since one went well. */
  readonly #failing = new Set<string>();
  readonly #atLarge: GladlyAtLarge;
  /** An error that is no answer of Gladly's: a mistake of ours. */
  #broken: unknown;
  #idleSince = performance.now();
  /** Since the last query for due conversations began. */
  #nudged = false;
  readonly counts = { extracted: 0, gone: 0, rejected: 0 };
  /** Set once: extraction has stopped then. */
  obstacle: Obstacle | undefined;
  /** Gladly refused a request for want of quota. */
  starved = false;
  /** Conversations whose reading went well. */
  get worked(): number {
    return this.#worked;
  }

  constructor(deps: ExtractDeps) {
    this.#deps = deps;
    this.#atLarge = new GladlyAtLarge(deps.client, deps);
  }

  /** Milliseconds since something was last read or stored. */
  get idleMs(): number {
    return this.#inHand.size > 0 ? 0 : performance.now() - this.#idleSince;
  }

  /** Something new may be due. */
  nudge(): void {
    this.#nudged = true;
    this.#events.emit('nudge');
  }

  /**
   * Runs until `enough`, and then finishes what it is reading: its calls are spent, unless Gladly wants to be asked nothing for long. On `stop`, and for an obstacle, it gives up what it
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
      while (!signal.aborted && !this.obstacle && this.#reading.size > 0 && !this.#isHeld()) {
        await nextEvent(this.#events, ['free', 'obstacle'], signal, LONGEST_SLEEP_MS);
      }
    } finally {
      ended.abort();
      await Promise.allSettled(this.#reading);
      this.#events.emit('read');
      try {
        await storing;
      } finally {
        for (const share of this.#shares.values()) share.leave();
        this.#shares.clear();
      }
    }
    if (this.#broken !== undefined) throw this.#broken;
  }

  /** What waits for its turn has not been asked yet; it is asked for by another drain. */
  #isHeld(): boolean {
    const isHeld = this.#deps.heldMs() > LONGEST_HOLD_MS;
    this.starved ||= isHeld;
    return isHeld;
  }

  async #readMore(stop: AbortSignal, noMore: AbortSignal, ended: AbortController): Promise<void> {
    // Conversations that are read and not stored yet use memory, not reading capacity.
    await this.#gather(['free', 'stored'], () => READINGS - this.#inHand.size >= READINGS / 4, noMore);
    const free = Math.min(this.#deps.readingsAtOnce() - this.#reading.size, READINGS - this.#inHand.size);
    this.#nudged = false;
    const due = free > 0 ? await this.#deps.due(free, this.#inHand) : [];
    for (const conversation of due) this.#start(conversation, stop, noMore, ended);
    if (due.length > 0 && due.length < free) return;
    if (free > 0 && due.length === 0) {
      const nextMs = (await this.#deps.nextDueMs(this.#inHand)) ?? LEDGER_LOOK_MS;
      if (this.#nudged) return;
      const forMs = Math.max(1, Math.min(nextMs, LEDGER_LOOK_MS));
      await nextEvent(this.#events, ['nudge', 'stored', 'obstacle'], noMore, forMs);
    } else if (free <= due.length) {
      await nextEvent(this.#events, ['free', 'stored', 'obstacle'], noMore, LONGEST_SLEEP_MS);
    }
  }

  #start(due: DueConversation, stop: AbortSignal, noMore: AbortSignal, ended: AbortController): void {
    this.#inHand.add(due.conversationId);
    const reading = this.#readOrLetGo(due, stop, noMore)
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

  /**
   * Reads a conversation once there is room for it, and asks what is to be thought of it when that fails. Given up, whatever it is at, on `stop`;
   * on `noMore` while it waits for room.
   */
  async #readOrLetGo(due: DueConversation, stop: AbortSignal, noMore: AbortSignal): Promise<void> {
    const share = new Share(this.#deps.room);
    this.#shares.set(due.conversationId, share);
    try {
      if (await share.enter(FIRST_BYTES, noMore, { mayGrow: false })) await this.#readOne(due, share, stop, noMore);
      else this.#letGo(due.conversationId);
    } catch (error) {
      if (!stop.aborted) throw error;
      this.#letGo(due.conversationId);
    }
  }

  async #readOne(due: DueConversation, share: Share, stop: AbortSignal, noMore: AbortSignal): Promise<void> {
    const workedBefore = this.#worked;
    for (let tries = 1; ; tries += 1) {
      try {
        const { client, patienceMs } = this.#deps;
        share.again();
        const signal = AbortSignal.any([stop, share.crowdedOut]);
        const isListAlone = async () => (await this.#atLarge.troubleWithLists(due.conversationId, stop)) === null;
        const result = await readConversation(client, due, patienceMs, signal, share.took, isListAlone);
        share.settle();
        const doubt = isFinal(result) ? await this.#atLarge.trouble(due.conversationId, stop) : null;
        if (doubt !== null) {
          this.#standStill(due, doubt);
          return;
        }
        this.#keep(result, due);
        if (result.reading !== null || result.items.length > 0) {
          this.#worked += 1;
          this.#failing.clear();
        }
        return;
      } catch (error) {
        if (stop.aborted) throw error;
        if (share.crowdedOut.aborted) {
          // Nothing was wrong with the answer: this try does not count.
          tries -= 1;
          if (await share.enter(MOST_BYTES, noMore, { mayGrow: true })) continue;
          this.#letGo(due.conversationId);
          return;
        }
        if (!(error instanceof GladlyError)) throw error;
        const wait = mayGoBy(error) ? AT_ONCE_AGAIN_MS[tries - 1] : undefined;
        if (wait === undefined || this.obstacle) {
          await this.#giveUp(due, error, this.#worked > workedBefore, stop);
          return;
        }
        await sleep(wait, undefined, { signal: stop }).catch(() => undefined);
      }
    }
  }

  /**
   * An answer about one conversation is about that one, until Gladly's organization, or other conversations, say the same. `othersWork`: other
   * readings went well meanwhile.
   */
  async #giveUp(due: DueConversation, error: GladlyError, othersWork: boolean, stop: AbortSignal): Promise<void> {
    const isItsOwn = ALWAYS_ABOUT_ONE.includes(error.kind) && !error.foreign;
    const mayBeItsOwn = error.kind !== 'rate_limited' && !this.obstacle;
    let [cause, isAlone]: [Trouble, boolean] = [
      { error, isOfConversations: false },
      isItsOwn || (mayBeItsOwn && othersWork),
    ];
    if (!isAlone && mayBeItsOwn) {
      this.#failing.add(due.conversationId);
      // With few of them the organization is asked; with more it may be that no conversation can be read.
      const trouble = await (this.#failing.size <= FAILING_ALONE
        ? this.#atLarge.organization(due.conversationId, stop, this.#failing)
        : this.#atLarge.trouble(due.conversationId, stop, this.#failing));
      isAlone = trouble === null;
      cause = trouble ?? cause;
    }
    if (isAlone) {
      const result = afterFailure(due, error);
      // Nothing is set aside for good while it may be Gladly as a whole, and no list counts as one that cannot be had.
      const isListGivenUp = isOfList(error.request) && due.failures >= LIST_GIVEN_UP;
      const doubt = isFinal(result) || isListGivenUp ? await this.#doubtOf(due, error, stop) : null;
      if (doubt === null) {
        this.#keep(result, due);
        return;
      }
      cause = doubt;
    }
    this.#standStill(due, cause);
  }

  async #doubtOf(
    { conversationId }: DueConversation,
    { request }: GladlyError,
    stop: AbortSignal,
  ): Promise<Trouble | null> {
    const trouble = await this.#atLarge.trouble(conversationId, stop);
    return trouble ?? (isOfList(request) ? await this.#atLarge.troubleWithLists(conversationId, stop) : null);
  }

  /**
   * It is Gladly as a whole. The governor slows us down for a 429: the conversation has done nothing wrong then, and is due again. One that was
   * held against other conversations lets others go first, as it may be those that are gone.
   */
  #standStill(due: DueConversation, { error, isOfConversations }: Trouble): void {
    if (error.kind === 'rate_limited') {
      this.#letGo(due.conversationId);
      this.starved = true;
      return;
    }
    if (isOfConversations) {
      const failed = { inMs: DOUBT_RETRY_MS, reason: error.problem.code };
      this.#keep({ ...nothing(due.conversationId), failed }, due);
    } else this.#letGo(due.conversationId);
    this.#stopFor(obstacleOf(error, this.#deps.troubledForMs()));
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
    this.#shares.get(conversationId)?.leave();
    this.#shares.delete(conversationId);
    this.#inHand.delete(conversationId);
    this.#idleSince = performance.now();
    this.#nudged = true;
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

/** Worth another try at once: it may be one bad moment, one node, one firewall. A token is not given up for a single word. */
const mayGoBy = (error: GladlyError): boolean =>
  error.kind !== 'rate_limited' &&
  (error.retryable || error.foreign || error.kind === 'unauthorized' || error.kind === 'forbidden');

/** Trouble that a conversation has by itself, whatever else Gladly says. */
const ALWAYS_ABOUT_ONE: readonly GladlyError['kind'][] = [
  'too_large',
  'bad_request',
  'invalid_id',
  'unexpected',
  'moved',
  'not_found',
];

/** Asked for the items of a conversation. */
const isOfList = ({ path }: GladlyError['request']): boolean => path === ITEMS_PATH;

/** It gives something up for good. */
const isFinal = ({ gone, rejected }: ConversationResult): boolean => gone.length + rejected.length > 0;

/**
 * Later and later; what no time will heal is rejected in the end, with its reason. A request that was never sent, because the id cannot be in a
 * path, is at once.
 */
function afterFailure(due: DueConversation, error: GladlyError): ConversationResult {
  const heals = error.retryable || error.foreign;
  const tried = heals ? Math.min(due.failures, READING_RETRY_MS.length - 1) : due.failures;
  const inMs = error.kind === 'invalid_id' ? undefined : READING_RETRY_MS[tried];
  const reason = error.problem.code;
  if (inMs !== undefined) return { ...nothing(due.conversationId), failed: { inMs, reason } };
  return { ...nothing(due.conversationId), rejected: due.events.map(({ eventId }) => ({ eventId, reason })) };
}

/**
 * What stands in the way when it is Gladly as a whole. Somebody else's pages in Gladly's place are maintenance, until they have been there for
 * a while: then the address may have changed hands, and a person is asked.
 */
export function obstacleOf(error: GladlyError, troubledForMs: number): Obstacle {
  if (error.retryable) return { kind: 'waiting_for_gladly', problem: error.problem };
  const domain = error.request.host;
  if (error.foreign && troubledForMs < MAINTENANCE_MS) {
    return { kind: 'waiting_for_gladly', problem: problem('gladly_maintenance', { domain }) };
  }
  if (error.problem.code === 'gladly_not_found') {
    return { kind: 'waiting_for_gladly', problem: problem('conversations_not_found', { domain }) };
  }
  return { kind: 'needs_attention', problem: error.problem };
}

/** How many conversations to read at once: enough to use what the quota allows with answers of a second, and no more, so that a
 * fresh conversation does not queue behind a backlog. */
export function readingsAtOnce(allowedPerSecond: number | null): number {
  return allowedPerSecond === null ? READINGS : Math.min(READINGS, Math.max(4, Math.ceil(allowedPerSecond)));
}
