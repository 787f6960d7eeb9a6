import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';
import { type Clock, systemClock } from '../../contracts/clock.ts';

export interface FloodLimits {
  /** Token bucket per address: requests with a wrong key that it may send in a row, and how many it regains per second. */
  readonly burst: number;
  readonly perSecond: number;
  /** Addresses kept in memory; the least recently seen one is dropped first. */
  readonly addresses: number;
}

// A person with a mistyped key saves the webhook a few times a minute, far below 20 in a row. 10,000 addresses take about 2 MB.
const LIMITS: FloodLimits = { burst: 20, perSecond: 1, addresses: 10_000 };

interface Bucket {
  tokens: number;
  at: number;
}

/** Rate limit for requests with a wrong key, by sender address. Requests with a right key are not counted. */
export class WrongKeys {
  readonly #limits: FloodLimits;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #buckets: LRUCache<string, Bucket>;

  constructor(given: Partial<FloodLimits> = {}, clock: Pick<Clock, 'now'> = systemClock) {
    this.#limits = { ...LIMITS, ...given };
    this.#clock = clock;
    this.#buckets = new LRUCache({ max: this.#limits.addresses });
  }

  /** Counts one request with a wrong key. False when the address has used up its tokens. */
  allows(address: string): boolean {
    const { burst, perSecond } = this.#limits;
    const now = this.#clock.now();
    const key = networkOf(address);
    const bucket = this.#buckets.get(key) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1_000) * perSecond);
    bucket.at = now;
    this.#buckets.set(key, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
}

/** The part of an address that is limited together: an IPv4 address, or the /64 network that an IPv6 customer can choose addresses from. */
function networkOf(address: string): string {
  if (!address.includes(':') || !ipaddr.IPv6.isValid(address)) return address;
  const parsed = ipaddr.IPv6.parse(address);
  if (parsed.isIPv4MappedAddress()) return parsed.toIPv4Address().toString();
  return parsed.parts.slice(0, 4).join(':');
}
