import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';
import { type Clock, systemClock } from '../../contracts/clock.ts';

export interface FloodLimits {
  /** Wrong keys from one address before it is told to slow down, and how many come back a second. */
  readonly burst: number;
  readonly perSecond: number;
  /** Addresses remembered; the longest silent one is forgotten first. */
  readonly addresses: number;
}

// A person who mistypes a key saves the webhook a few times a minute. 10,000 addresses are about 2 MB.
const LIMITS: FloodLimits = { burst: 20, perSecond: 1, addresses: 10_000 };

interface Bucket {
  tokens: number;
  at: number;
}

/** Counts wrong keys by address: a flood of them gets short answers. Right keys are never asked about here. */
export class WrongKeys {
  readonly #limits: FloodLimits;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #buckets: LRUCache<string, Bucket>;

  constructor(given: Partial<FloodLimits> = {}, clock: Pick<Clock, 'now'> = systemClock) {
    this.#limits = { ...LIMITS, ...given };
    this.#clock = clock;
    this.#buckets = new LRUCache({ max: this.#limits.addresses });
  }

  /** One more from this address: false when it has had its share. */
  allows(address: string): boolean {
    const { burst, perSecond } = this.#limits;
    const now = this.#clock.now();
    const key = neighbourhood(address);
    const bucket = this.#buckets.get(key) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1_000) * perSecond);
    bucket.at = now;
    this.#buckets.set(key, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
}

/** One customer of an IPv6 provider has a /64 to choose from. */
function neighbourhood(address: string): string {
  if (!address.includes(':') || !ipaddr.IPv6.isValid(address)) return address;
  const parsed = ipaddr.IPv6.parse(address);
  if (parsed.isIPv4MappedAddress()) return parsed.toIPv4Address().toString();
  return parsed.parts.slice(0, 4).join(':');
}
