import { type Claim, fairPart, LOOK_MS, nextClaim } from './division.ts';

/**
 * This worker's part of what a lane may send, beside other workers of ours. Until the others were heard of, and whenever it has been still, it is a
 * careful one: two requests, as a single event needs, go out at the lane's own pace, and the rest waits for the first look.
 */
export interface Part {
  /** Milliseconds until a request fits into the part; 0 when one does now. `total`: requests a second of all our workers. */
  waitMs(now: number, total: number): number;
  sent(now: number, total: number): void;
  /** Requests a second; all of them for the only worker, and while nobody was heard of, for that is over in a moment. */
  perSecond(total: number): number;
  /** What to tell the others; null when nobody waits for it: the lane has been still, and they know. */
  report(now: number, total: number, isWaited: boolean): Report | null;
  /** The report was written, and these others are there. Returns whether to look again soon: what was heard changes what to say. */
  heard(report: Report, others: readonly Claim[], total: number): boolean;
}

/** A claim, and what it rests on. */
export interface Report extends Claim {
  /** The last one before a rest. */
  readonly isLast: boolean;
  /** Nobody else was there at the last look, so all of it is claimed. */
  readonly isWhole: boolean;
}

export interface PartOptions {
  /** Requests a second that each worker may make unasked; less when they are many. */
  readonly careful: () => number;
  /** What the last answer said leaves room for a request that was not asked for. */
  readonly isAmple: () => boolean;
  /** Says that there is something to tell: now that a request was sent, or soon, for one is held back. */
  readonly tell: (soon: boolean) => void;
  /** The most requests within a second lately. */
  readonly takePeak: () => number;
}

/** A lane that sent nothing for so long gives its claim back. */
const STILL_MS = 4_000;
/** A light worker says that it wants more than it uses: what it asks for may grow a little within one look. */
const GROWTH = 1.25;
/** Who uses so much of its part, or wants so much of all, would take more. */
const NEARLY_ALL = 0.9;
/** A change of the part by less than this (of the total) can wait for the next look. */
const SMALL = 0.1;
/** Part of a request that a late timer may catch up. */
const CREDIT = 0.25;

export function createPart({ careful, isAmple, tell, takePeak }: PartOptions): Part {
  /** Null: not heard of since the lane was still. */
  let others: readonly Claim[] | null = null;
  let said: Report | null = null;
  let isAlone = false;
  /** Requests sent beyond the part; goes down by the part each second. */
  let debt = -CREDIT;
  let debtAt = Number.NEGATIVE_INFINITY;
  let mayBorrow = true;
  let sent = 0;
  let sentAt = Number.NEGATIVE_INFINITY;
  let isHeld = false;
  let reportedAt = Number.NEGATIVE_INFINITY;

  const floor = (total: number): number => Math.min(careful(), total / ((others?.length ?? 0) + 1));

  function pace(total: number): number {
    if (isAlone) return total;
    const least = floor(total);
    if (said === null || others === null) return least;
    const fair = fairPart(
      total,
      said.wants,
      others.map((it) => it.wants),
    );
    return Math.min(total, Math.max(least, Math.min(said.claims, fair)));
  }

  function leak(now: number, total: number): void {
    debt = Math.max(-CREDIT, debt - (pace(total) * (now - debtAt)) / 1_000);
    debtAt = now;
    if (debt === -CREDIT) mayBorrow = true;
  }

  return {
    perSecond: (total) => (others === null ? total : pace(total)),
    waitMs: (now, total) => {
      if (isAlone) return 0;
      leak(now, total);
      if (debt < 1e-6 || (mayBorrow && debt <= 1 && isAmple())) return 0;
      if (!isHeld) {
        isHeld = true;
        // Unless the others know already that it wants all it can get.
        if (said === null || said.wants < NEARLY_ALL * total) tell(true);
      }
      return (1_000 * (debt - (mayBorrow && debt > 1 ? 1 : 0))) / pace(total);
    },
    sent: (now, total) => {
      leak(now, total);
      if (debt > 1e-6) mayBorrow = false;
      debt += 1;
      sent++;
      sentAt = now;
      if (sent === 1) tell(false);
    },
    report: (now, total, isWaited) => {
      const isLast = !isWaited && now - sentAt >= STILL_MS;
      if (isLast && said === null) return null;
      const seconds = Math.min(Math.max(now - reportedAt, LOOK_MS / 2), 2 * LOOK_MS) / 1_000;
      const used = sent / seconds;
      const isHungry = isWaited || used > NEARLY_ALL * pace(total);
      const wants = isHungry ? total : Math.min(total, GROWTH * used);
      const least = floor(total);
      const claims = others === null ? Math.min(wants, least) : nextClaim(total, wants, least, others);
      const peak = takePeak();
      [sent, isHeld, reportedAt] = [0, false, now];
      if (isLast) return { wants: 0, claims: 0, peak, isLast, isWhole: false };
      return { wants, claims, peak, isLast, isWhole: others !== null && others.length === 0 };
    },
    heard: (report, heard, total) => {
      if (report.isLast) {
        [said, others, isAlone] = [null, null, false];
        return false;
      }
      [said, others] = [report, heard];
      isAlone = report.isWhole && heard.length === 0;
      if (isAlone) return false;
      const change = nextClaim(total, report.wants, floor(total), heard) - report.claims;
      return change < -SMALL * total || (change > SMALL * total && report.wants > report.claims);
    },
  };
}
