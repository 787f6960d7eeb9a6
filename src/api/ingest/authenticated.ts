import { Buffer } from 'node:buffer';
import { hash, timingSafeEqual } from 'node:crypto';

/** A key that is accepted for a tenant's webhook. While one key replaces another there are two. */
export interface LiveKey {
  readonly keyId: string;
  /** SHA-256 of the key, 32 bytes. */
  readonly hash: Buffer;
  /** Milliseconds since 1970; infinite unless the key is being replaced. */
  readonly validUntil: number;
}

export interface KnownTenant {
  readonly tenantId: string;
  /** Null until its queue has been created: until then deliveries go into the ledger. */
  readonly queueUrl: string | null;
  readonly keys: readonly LiveKey[];
}

/**
 * The sender of a request that carried a live key of a tenant. Only `authenticate` creates one: the class is not exported, its constructor is
 * private, and its private field keeps TypeScript from accepting any other object in its place.
 */
class Caller {
  readonly #tenant: KnownTenant;
  readonly keyId: string;

  private constructor(tenant: KnownTenant, keyId: string) {
    this.#tenant = tenant;
    this.keyId = keyId;
  }

  static authenticate(tenant: KnownTenant | undefined, shown: string, now: number): Caller | null {
    const keys = tenant?.keys ?? NO_KEYS;
    const shownHash = hash('sha256', shown, 'buffer');
    let found: LiveKey = NO_KEY;
    // Compares with every key, and with two at least, so that the time taken does not depend on whether tenant or key exist.
    for (let at = 0; at < Math.max(keys.length, MIN_COMPARISONS); at += 1) {
      const key = keys[at] ?? NO_KEY;
      if (timingSafeEqual(key.hash, shownHash)) found = key;
    }
    return tenant === undefined || found.validUntil <= now ? null : new Caller(tenant, found.keyId);
  }

  get tenantId(): string {
    return this.#tenant.tenantId;
  }

  get queueUrl(): string | null {
    return this.#tenant.queueUrl;
  }
}

export type AuthenticatedCaller = Caller;

/** The input of the engine. It holds the caller, so no delivery without a valid key can be passed to it. */
export interface AuthenticatedDelivery {
  readonly caller: AuthenticatedCaller;
  readonly body: Buffer;
  /** Milliseconds since 1970. */
  readonly acceptedAt: number;
}

/** Null for a wrong key and for an unknown tenant, after the same amount of work. `shown`: the key of the request. `now`: milliseconds since 1970. */
export const authenticate = (tenant: KnownTenant | undefined, shown: string, now: number): AuthenticatedCaller | null =>
  Caller.authenticate(tenant, shown, now);

const MIN_COMPARISONS = 2;
const NO_KEYS: readonly LiveKey[] = [];
/** Matches no key, and has expired. */
const NO_KEY: LiveKey = { keyId: '', hash: Buffer.alloc(32), validUntil: Number.NEGATIVE_INFINITY };
