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
  /** Whoever asks through this one is told that Gladly wants to be asked nothing for longer than this, in ms, and does not wait for it. */
  readonly patienceMs?: number;
}

export interface GovernorOptions extends Partial<Omit<LaneOptions, 'tell'>> {
  /** See LaneOptions. */
  readonly tell?: (method: Method, lane: Lane, soon: boolean) => void;
}

const DEFAULTS: Omit<LaneOptions, 'tell'> = {
  share: 0.7,
  defaultLimit: 10, // gladly.md 2.4; holds until an answer says otherwise
  maxPerSecond: Number.POSITIVE_INFINITY,
  unlimited: false,
  maxInFlight: 64,
  clock: monotonicClock,
  random: Math.random,
};

export function createGovernor({ tell, ...options }: GovernorOptions = {}): Governor {
  const settled = { ...DEFAULTS, ...options };
  const lanes = new Map<Method, Lane>();
  const lane = (method: Method): Lane => {
    const known = lanes.get(method);
    if (known) return known;
    const made: Lane = createLane(tell ? { ...settled, tell: (soon) => tell(method, made, soon) } : settled);
    lanes.set(method, made);
    return made;
  };
  return {
    acquire: (method, signal) => lane(method).acquire(signal),
    snapshot: (method = 'GET') => lane(method).snapshot(),
  };
}

/** A person follows the set-up: a wait of minutes has to be told of. */
const ONBOARDING_PATIENCE_MS = 10_000;

/**
 * The same quota, but at most `perSecond` requests of all methods together by this way: onboarding checks a
 * customer's settings with 2 a second, a limit of our own, while extraction may be at work.
 */
export function slower(governor: Governor, perSecond: number, options: Omit<GovernorOptions, 'tell'> = {}): Governor {
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
    patienceMs: ONBOARDING_PATIENCE_MS,
  };
}

export interface GovernorsOptions extends Omit<GovernorOptions, 'tell'> {
  readonly tell?: (hostName: string, ...told: Parameters<NonNullable<GovernorOptions['tell']>>) => void;
}

/** One governor an organization, kept while this process lives. */
export function createGovernors({ tell, ...options }: GovernorsOptions = {}): (hostName: string) => Governor {
  const governors = new Map<string, Governor>();
  return (hostName) => {
    const known = governors.get(hostName);
    if (known) return known;
    const made = createGovernor(tell ? { ...options, tell: (...told) => tell(hostName, ...told) } : options);
    governors.set(hostName, made);
    return made;
  };
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Reads the quota's headers; what is missing or not a number is left out. A `Retry-After` date is held against the answer's own `Date`. */
export function quotaAnswer(status: number, headers: Headers): QuotaAnswer {
  const wroteAt = typeof headers['date'] === 'string' ? dateMs(headers['date']) : Number.NaN;
  return {
    status,
    limit: wholeNumber(headers['ratelimit-limit-second']),
    remaining: wholeNumber(headers['ratelimit-remaining-second']),
    retryAfterMs: retryAfterMs(headers['retry-after'], Number.isNaN(wroteAt) ? Date.now() : wroteAt),
  };
}

function wholeNumber(value: string | string[] | undefined): number | undefined {
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : undefined;
}

/** Upper bound on Retry-After, one hour; larger values are clamped. */
const LONGEST_RETRY_AFTER_MS = 3_600_000;

/** Seconds, whole or not, of several the first; or a date as HTTP writes it. Everything else says nothing. `now`: the clock of who wrote it. */
function retryAfterMs(value: string | string[] | undefined, now: number): number | undefined {
  const text = (typeof value === 'string' ? value : value?.[0])?.split(/,(?! \d\d )/)[0]?.trim() ?? '';
  const seconds = /^\+?(\d{1,9}(?:\.\d+)?)$/.exec(text)?.[1];
  const ms = seconds === undefined ? dateMs(text) - now : Number(seconds) * 1_000;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(Math.ceil(ms), 0), LONGEST_RETRY_AFTER_MS);
}

/** Date.parse takes `1.5` for a day in January. */
const dateMs = (text: string): number => (/^[A-Z][a-z]{2}, .* GMT$/.test(text) ? Date.parse(text) : Number.NaN);
