import { monotonicClock } from './clock.ts';
import { type Claim, LOOK_MS } from './division.ts';
import type { Lane } from './lane.ts';
import type { Report } from './part.ts';
import { createGovernors, type Governor, type GovernorsOptions, type Method } from './quota.ts';

/** Gladly counts for each organization and method. */
export interface ClaimKey {
  readonly host: string;
  readonly method: Method;
}

/** Where the workers tell each other what they use. Both throw when it is out of reach. */
export interface Claims {
  /** Writes this worker's claims and returns those of the others for the same keys, all in one go. */
  exchange(own: readonly (ClaimKey & Claim)[]): Promise<readonly (ClaimKey & Claim)[]>;
  /** This worker ends. */
  withdraw(): Promise<void>;
}

export interface SharedQuota {
  readonly governors: (hostName: string) => Governor;
  /** Nothing is sent any more. Never rejects: a claim that stays is forgotten by itself. */
  leave(): Promise<void>;
}

export interface SharedQuotaOptions extends Omit<GovernorsOptions, 'tell'> {
  readonly claims: Claims;
  /** The others could not be heard of: what was known goes on to hold. Once a spell. */
  readonly onLost: (error: unknown) => void;
}

/** Between two looks, when one cannot wait. What another worker writes at the same time is seen after it. */
const SOON_MS = 150;

/**
 * Governors of organizations for which other workers may be at work. Each worker looks every LOOK_MS at what the others say, for all its organizations
 * at once, and sooner when one of them is held back for want of it; never while nothing is at work.
 */
export function shareQuota({ claims, onLost, ...options }: SharedQuotaOptions): SharedQuota {
  const { clock = monotonicClock } = options;
  /** Those with something to tell. */
  const lanes = new Map<string, ClaimKey & { readonly lane: Lane }>();
  let cancelTimer: (() => void) | undefined;
  let dueAt = Number.POSITIVE_INFINITY;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | null = null;
  let isLost = false;
  let hasLeft = false;

  function plan(ms: number): void {
    const now = clock.now();
    const at = Math.max(now + ms, lookedAt + (isLost ? LOOK_MS : SOON_MS));
    if (hasLeft || at >= dueAt) return;
    dueAt = at;
    if (looking !== null) return;
    cancelTimer?.();
    cancelTimer = clock.after(at - now, begin);
  }

  function begin(): void {
    dueAt = Number.POSITIVE_INFINITY;
    looking = look().then((isMore) => {
      looking = null;
      lookedAt = clock.now();
      const wished = dueAt - lookedAt;
      dueAt = Number.POSITIVE_INFINITY;
      if (isMore) plan(0);
      else if (lanes.size > 0) plan(Math.min(LOOK_MS, Math.max(0, wished)));
    });
  }

  /** Returns whether to look again soon. */
  async function look(): Promise<boolean> {
    const reports: (ClaimKey & { readonly lane: Lane; readonly report: Report })[] = [];
    for (const [key, it] of lanes) {
      const report = it.lane.report();
      if (report) reports.push({ ...it, report });
      else lanes.delete(key);
    }
    if (reports.length === 0) return false;
    try {
      const heard = byKey(
        await claims.exchange(reports.map(({ host, method, report }) => ({ host, method, ...report }))),
      );
      isLost = false;
      let isMore = false;
      for (const { lane, report, ...key } of reports) {
        if (lane.heard(report, heard.get(nameOf(key)) ?? [])) isMore = true;
      }
      return isMore;
    } catch (error) {
      if (!isLost && !hasLeft) onLost(error);
      isLost = true;
      return false;
    }
  }

  return {
    governors: createGovernors({
      ...options,
      tell: (host, method, lane, soon) => {
        lanes.set(nameOf({ host, method }), { host, method, lane });
        plan(soon ? 0 : LOOK_MS);
      },
    }),
    leave: async () => {
      hasLeft = true;
      cancelTimer?.();
      await looking;
      await claims.withdraw().catch(() => undefined);
    },
  };
}

const nameOf = ({ host, method }: ClaimKey): string => `${method} ${host}`;

function byKey(claims: readonly (ClaimKey & Claim)[]): Map<string, Claim[]> {
  const found = new Map<string, Claim[]>();
  for (const it of claims) {
    const known = found.get(nameOf(it));
    if (known) known.push(it);
    else found.set(nameOf(it), [it]);
  }
  return found;
}
