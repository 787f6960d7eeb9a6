import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';
import { type Clock, systemClock } from '../../contracts/clock.ts';

export interface RateLimits {
  /** Token bucket per id: what it may do in a row, and how much it regains per second. */
  readonly burst: number;
  readonly perSecond: number;
  /** Ids kept in memory; the least recently seen one is dropped first. */
  readonly ids: number;
}

/**
 * For keys that are wrong, by the sender's address. A person with a mistyped key tries a few times a minute, far below 20 in a row. 10,000 addresses
 * take about 2 MB.
 */
export const WRONG_KEY_LIMITS: RateLimits = { burst: 20, perSecond: 1, ids: 10_000 };

interface Bucket {
  tokens: number;
  at: number;
}

/** A rate limit of this process for each of many ids: addresses, tenants. */
export class RateLimit {
  readonly #limits: RateLimits;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #buckets: LRUCache<string, Bucket>;

  constructor(limits: RateLimits, clock: Pick<Clock, 'now'> = systemClock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#buckets = new LRUCache({ max: limits.ids });
  }

  /** Counts one time. False when the id has used up its tokens. */
  allows(id: string): boolean {
    const { burst, perSecond } = this.#limits;
    const now = this.#clock.now();
    const bucket = this.#buckets.get(id) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1_000) * perSecond);
    bucket.at = now;
    this.#buckets.set(id, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
}

/** The part of an address that is limited together: an IPv4 address, or the /64 network that an IPv6 customer can choose addresses from. */
export function networkOf(address: string): string {
  if (!address.includes(':') || !ipaddr.IPv6.isValid(address)) return address;
  const parsed = ipaddr.IPv6.parse(address);
  if (parsed.isIPv4MappedAddress()) return parsed.toIPv4Address().toString();
  return parsed.parts.slice(0, 4).join(':');
}
