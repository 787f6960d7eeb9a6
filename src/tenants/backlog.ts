import type { QuotaUse } from '../store/drains.ts';
import type { MeasuredMinute } from '../store/measurements.ts';

/** What waits, and how long it takes to work it off. */
export interface Backlog {
  /** Events, in the ledger and in the queue. */
  readonly waiting: number;
  /** Requests to Gladly a second that the quota leaves us. */
  readonly perSecond: number;
  /** Until everything that waits now is stored, at that rate; 0 when nothing waits. */
  readonly takesMs: number;
  /** Part of this backlog that is done, 0 to 1; null while it is too small to speak of. */
  readonly done: number | null;
}

export interface BacklogFacts {
  /** Events. */
  readonly inLedger: number;
  /** To be read, for those of the ledger. */
  readonly conversations: number;
  readonly inQueue: number;
  /** Part of the quota that extraction may use, 0 to 1 (QUOTA_SHARE). */
  readonly share: number;
  /** As a drain at work sees it; null when none is. */
  readonly quota: QuotaUse | null;
  /** The minutes of the last day, in order. */
  readonly minutes: readonly Pick<MeasuredMinute, 'extracted' | 'waiting'>[];
}

/** The conversation and its items (activities/drain/read-conversation.ts). */
const CALLS_A_CONVERSATION = 2;
/** Gladly's standard limit a second for each method (gladly.md 2.4). */
const STANDARD_LIMIT = 10;
/** So few events wait at any time. */
const NO_BACKLOG = 30;

/** The quota is the limit, not this machine: how long it takes follows from the calls that are left to make. */
export function backlogOf(facts: BacklogFacts): Backlog {
  const { inLedger, conversations, inQueue, share, quota, minutes } = facts;
  const waiting = inLedger + inQueue;
  const perSecond = quota?.allowed ?? (quota?.limit ?? STANDARD_LIMIT) * share;
  // What is in the queue has not been looked at: as many events to a conversation as in the ledger, else one.
  const eventsEach = inLedger > 0 && conversations > 0 ? inLedger / conversations : 1;
  const toRead = conversations + inQueue / eventsEach;
  return {
    waiting,
    perSecond,
    takesMs: Math.ceil((toRead * CALLS_A_CONVERSATION * 1_000) / perSecond),
    done: waiting < NO_BACKLOG ? null : partDone(minutes, waiting),
  };
}

/** Since little waited for the last time. */
function partDone(minutes: BacklogFacts['minutes'], waiting: number): number {
  const start = minutes.findLastIndex((minute) => minute.waiting !== null && minute.waiting < NO_BACKLOG);
  const extracted = minutes.slice(start + 1).reduce((sum, minute) => sum + minute.extracted, 0);
  return extracted / (extracted + waiting);
}
