import { monotonicClock } from './clock.ts';
import { createLane, type Lane, type LaneOptions, type Permit, type QuotaAnswer, type QuotaSnapshot } from './lane.ts';

export type { Permit, QuotaAnswer, QuotaSnapshot } from './lane.ts';

/** Gladly counts each of these for itself. */
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** The one gate to an organization's quota: every request to it, from whatever part of us, goes through the same one. */
export interface Governor {
  /**
   * Waits for a turn. Rejects with the signal's reason when that comes first; no turn is used up then.
   * The permit must be given back with `report`, in every case.
   */
  acquire(method: Method, signal?: AbortSignal): Promise<Permit>;
  snapshot(method?: Method): QuotaSnapshot;
}

export type GovernorOptions = Partial<LaneOptions>;

const DEFAULTS: LaneOptions = {
  share: 0.7,
  defaultLimit: 10, // gladly.md 2.4; holds until an answer says otherwise
  maxPerSecond: Number.POSITIVE_INFINITY,
  unlimited: false,
  maxInFlight: 64,
  clock: monotonicClock,
  random: Math.random,
};

export function createGovernor(options: GovernorOptions = {}): Governor {
  const settled = { ...DEFAULTS, ...options };
  const lanes = new Map<Method, Lane>();
  const lane = (method: Method): Lane => {
    const known = lanes.get(method);
    if (known) return known;
    const made = createLane(settled);
    lanes.set(method, made);
    return made;
  };
  return {
    acquire: (method, signal) => lane(method).acquire(signal),
    snapshot: (method = 'GET') => lane(method).snapshot(),
  };
}

/**
 * The same quota, but at most `perSecond` requests of all methods together by this way: onboarding checks a
 * customer's settings with 2 a second, a limit of our own, while extraction may be at work.
 */
export function slower(governor: Governor, perSecond: number, options: GovernorOptions = {}): Governor {
  const own = createLane({ ...DEFAULTS, ...options, share: 1, defaultLimit: perSecond, unlimited: false });
  return {
    acquire: async (method, signal) => {
      const turn = await own.acquire(signal);
      try {
        const permit = await governor.acquire(method, signal);
        return {
          report: (answer) => {
            turn.report();
            permit.report(answer);
          },
        };
      } catch (reason) {
        turn.report();
        throw reason;
      }
    },
    snapshot: (method) => governor.snapshot(method),
  };
}

/** One governor an organization, kept while this process lives. */
export function createGovernors(options: GovernorOptions = {}): (hostName: string) => Governor {
  const governors = new Map<string, Governor>();
  return (hostName) => {
    const known = governors.get(hostName);
    if (known) return known;
    const made = createGovernor(options);
    governors.set(hostName, made);
    return made;
  };
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Reads the quota's headers; what is missing or not a number is left out. `now` is the wall clock, for a `Retry-After` date. */
export function quotaAnswer(status: number, headers: Headers, now: number = Date.now()): QuotaAnswer {
  return {
    status,
    limit: wholeNumber(headers['ratelimit-limit-second']),
    remaining: wholeNumber(headers['ratelimit-remaining-second']),
    retryAfterMs: retryAfterMs(headers['retry-after'], now),
  };
}

function wholeNumber(value: string | string[] | undefined): number | undefined {
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : undefined;
}

/** Upper bound on Retry-After, one hour; larger values are clamped. */
const LONGEST_RETRY_AFTER_MS = 3_600_000;

function retryAfterMs(value: string | string[] | undefined, now: number): number | undefined {
  if (typeof value !== 'string') return undefined;
  const seconds = wholeNumber(value);
  const ms = seconds === undefined ? Date.parse(value) - now : seconds * 1_000;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), LONGEST_RETRY_AFTER_MS);
}
