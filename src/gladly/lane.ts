import type { Clock } from './clock.ts';
import { type Claim, sentWithinASecond } from './division.ts';
import { createPart, type Report } from './part.ts';
import { createRivals } from './rivals.ts';

/** What an answer says about the quota. */
export interface QuotaAnswer {
  readonly status: number;
  /** `Ratelimit-Limit-Second`. */
  readonly limit?: number | undefined;
  /** `Ratelimit-Remaining-Second`. */
  readonly remaining?: number | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** The right to send one request, now. Always give it back with `report`, with the answer or without one. */
export interface Permit {
  report(answer?: QuotaAnswer): void;
}

export interface QuotaSnapshot {
  /** Requests a second that Gladly grants the organization, all clients together. */
  readonly limit: number;
  /** Requests a second that this worker allows itself at this moment; null when the quota is lifted. */
  readonly allowed: number | null;
  /** Requests in the second of the latest answer; null before the first. */
  readonly remaining: number | null;
  readonly waiting: number;
  readonly inFlight: number;
  readonly usedLastSecond: number;
  /** Requests a second of other clients, a lower bound. */
  readonly rivals: number;
  /** Milliseconds until the next request may go out after a 429; 0 when nothing holds us. */
  readonly heldMs: number;
}

export interface LaneOptions {
  /** Part of the limit that we use, 0 to 1. */
  readonly share: number;
  readonly defaultLimit: number;
  readonly maxPerSecond: number;
  readonly unlimited: boolean;
  readonly maxInFlight: number;
  readonly clock: Clock;
  readonly random: () => number;
  /** Other workers of ours may send to the same organization (gladly/shared-quota.ts). Says that this one has something to tell them, soon or later. */
  readonly tell?: (soon: boolean) => void;
}

export interface Lane {
  acquire(signal?: AbortSignal): Promise<Permit>;
  snapshot(): QuotaSnapshot;
  /** What to tell the other workers; null when there is nothing. */
  report(): Report | null;
  /** They were told, and these are there. Returns whether to tell them more soon. */
  heard(report: Report, others: readonly Claim[]): boolean;
}

interface Waiter {
  readonly grant: (permit: Permit) => void;
}

/** Above this a timer of a millisecond cannot space requests any more, and the number in flight is bound enough. */
const PACED_BELOW = 1_000;
/** Left free beside rivals: their counts vary by one or two a second, and ours by one where the seconds meet. */
const RESERVE = (limit: number): number => Math.max(2, limit * 0.1);
/** Even beside rivals that take everything, we go on asking now and then: 0.5 a second of 10. */
const FLOOR = (limit: number): number => limit * 0.05;
/** What each of our workers may send before it knows of the others: three that start at once leave more than half of 10 to others. */
const CAREFUL = (limit: number): number => limit * 0.1;
/** With so much left of a second, others are hardly at work. */
const AMPLE = (limit: number): number => limit / 2;
/** After yielding, the rate comes back by this part of the limit each second, so that a rival shows before we meet it. */
const RECOVERY = 0.1;
/** A slot missed because a timer was late may be caught up; more than this is forgotten, for it would be a burst. */
const CATCH_UP_MS = 50;
const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 60_000;

/** Requests of one method to one organization, sent at even distances within our share. First come, first served. */
export function createLane(options: LaneOptions): Lane {
  const { clock, random, share, maxPerSecond, unlimited, maxInFlight } = options;
  const rivals = createRivals();
  const waiters = new Set<Waiter>();
  const { tell } = options;
  const part = tell && createPart({ careful: () => CAREFUL(limit), isAmple, tell, takePeak: () => rivals.takePeak() });
  let limit = options.defaultLimit;
  let remaining: number | null = null;
  let answeredAt = Number.NEGATIVE_INFINITY;
  let inFlight = 0;
  let lastSlot = Number.NEGATIVE_INFINITY;
  let heldUntil = Number.NEGATIVE_INFINITY;
  let rate = Number.POSITIVE_INFINITY;
  let rateAt = clock.now();
  let refusals = 0;
  let refusedAt = Number.NEGATIVE_INFINITY;
  let cancelTimer: (() => void) | undefined;

  const paced = (): boolean => !unlimited && Math.min(limit, maxPerSecond) < PACED_BELOW;

  /** Of all our workers. Down at once, up slowly. */
  function allowed(now: number): number {
    const ceiling = Math.min(share * limit, maxPerSecond);
    const others = rivals.estimate(now);
    const room = others > 0 ? limit - others - RESERVE(limit) : ceiling;
    const target = Math.min(ceiling, Math.max(FLOOR(limit), room));
    rate = Math.min(target, rate + (RECOVERY * limit * Math.max(0, now - rateAt)) / 1_000);
    rateAt = Math.max(rateAt, now);
    return rate;
  }

  function own(now: number): number {
    const total = allowed(now);
    return part?.perSecond(total) ?? total;
  }

  /** As far as the last second's answers tell. */
  function isAmple(): boolean {
    return remaining === null || clock.now() - answeredAt > 1_000 || remaining >= AMPLE(limit);
  }

  function pump(): void {
    cancelTimer?.();
    cancelTimer = undefined;
    for (const waiter of waiters) {
      if (inFlight >= maxInFlight) return;
      const now = clock.now();
      if (now < heldUntil) {
        wakeIn(heldUntil - now);
        return;
      }
      if (paced()) {
        const total = allowed(now);
        const interval = 1_000 / total;
        const slot = Math.max(lastSlot + interval, heldUntil);
        const waitMs = Math.max(slot - now, part?.waitMs(now, total) ?? 0);
        if (waitMs > 0) {
          wakeIn(waitMs);
          return;
        }
        part?.sent(now, total);
        lastSlot = Math.max(slot, now - Math.max(CATCH_UP_MS, interval));
      }
      waiters.delete(waiter);
      waiter.grant(newPermit(now));
    }
  }

  /** Idle time earns no burst, only what a caller who is a little late with the next request would lose. */
  function forgetIdleTime(now: number): void {
    const interval = 1_000 / allowed(now);
    lastSlot = Math.max(lastSlot, now - interval - Math.min(CATCH_UP_MS, interval / 4));
  }

  function wakeIn(ms: number): void {
    cancelTimer = clock.after(Math.ceil(ms), pump);
  }

  function newPermit(sentAt: number): Permit {
    inFlight++;
    const ours = rivals.sent(sentAt);
    let open = true;
    return {
      report: (answer) => {
        if (!open) return;
        open = false;
        inFlight--;
        if (answer) learn(answer, sentAt, ours);
        if (waiters.size > 0) pump();
      },
    };
  }

  function learn(answer: QuotaAnswer, sentAt: number, ours: number): void {
    const now = clock.now();
    if (answer.limit !== undefined && answer.limit > 0) limit = answer.limit;
    if (answer.status === 429) {
      remaining = 0;
      rivals.refused(now, limit, ours);
      backOff(now, sentAt, answer.retryAfterMs);
      return;
    }
    if (sentAt > refusedAt) refusals = 0;
    if (answer.remaining === undefined || answer.remaining > limit) return;
    remaining = answer.remaining;
    answeredAt = now;
    const others = rivals.observed(now, limit - remaining, ours);
    // Rivals are at work and this second is nearly used up: wait for the next, the longer the less is left.
    const reserve = RESERVE(limit);
    if (others > 0 && remaining < reserve) hold(sentAt + (1_000 * (reserve - remaining)) / reserve);
  }

  /** Waits, and then begins at half the rate. Several refusals of one moment count as one. */
  function backOff(now: number, sentAt: number, retryAfterMs: number | undefined): void {
    if (sentAt > refusedAt) {
      refusals++;
      refusedAt = now;
      rate = Math.max(FLOOR(limit), allowed(now) / 2);
    }
    const wait = retryAfterMs ?? Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (refusals - 1));
    // Up to 25 % jitter against synchronised retries.
    hold(now + wait * (1 + 0.25 * random()));
    rateAt = heldUntil;
  }

  function hold(until: number): void {
    heldUntil = Math.max(heldUntil, until);
  }

  return {
    acquire: (signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const now = clock.now();
        if (waiters.size === 0 && paced()) forgetIdleTime(now);
        const waiter: Waiter = {
          grant: (permit) => {
            signal?.removeEventListener('abort', leave);
            resolve(permit);
          },
        };
        const leave = (): void => {
          waiters.delete(waiter);
          if (waiters.size === 0) cancelTimer?.();
          reject(signal?.reason);
        };
        signal?.addEventListener('abort', leave, { once: true });
        waiters.add(waiter);
        if (waiters.size === 1) pump();
      }),
    report: () => {
      if (!part || !paced()) return null;
      const now = clock.now();
      return part.report(now, allowed(now), waiters.size > 0 && now >= heldUntil);
    },
    heard: (report, others) => {
      if (!part) return false;
      const now = clock.now();
      rivals.peers(now, report.isLast ? 0 : sentWithinASecond(others));
      const isMore = part.heard(report, others, allowed(now));
      if (waiters.size > 0) pump();
      return isMore;
    },
    snapshot: () => {
      const now = clock.now();
      return {
        limit,
        allowed: paced() ? own(now) : null,
        remaining,
        waiting: waiters.size,
        inFlight,
        usedLastSecond: rivals.ours(now),
        rivals: Math.round(rivals.estimate(now)),
        heldMs: Math.max(0, heldUntil - now),
      };
    },
  };
}
