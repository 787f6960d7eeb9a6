import { Buffer } from 'node:buffer';
import { hash, timingSafeEqual } from 'node:crypto';

/** A key that opens this tenant's webhook. During a change-over there are two. */
export interface LiveKey {
  readonly keyId: string;
  /** SHA-256 of the key, 32 bytes. */
  readonly hash: Buffer;
  /** Milliseconds since 1970; infinite until a change-over sets an end. */
  readonly validUntil: number;
}

export interface KnownTenant {
  readonly tenantId: string;
  /** Null before its queue is made: its deliveries go into the ledger. */
  readonly queueUrl: string | null;
  readonly keys: readonly LiveKey[];
}

/**
 * Somebody who has shown a live key of a tenant. Only `authenticate` makes one: the class stays in this file, its constructor is
 * private, and for its private field no other object passes for it.
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
    // All of them, found or not, and never fewer than a change-over has: the time tells nothing about tenant or key.
    for (let at = 0; at < Math.max(keys.length, KEYS_IN_A_CHANGE_OVER); at += 1) {
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

/** What the engine takes. Nothing unauthenticated can be one, since it holds the caller. */
export interface AuthenticatedDelivery {
  readonly caller: AuthenticatedCaller;
  readonly body: Buffer;
  /** Milliseconds since 1970. */
  readonly acceptedAt: number;
}

/** Null for a wrong key and for an unknown tenant, after the same work. `now` in milliseconds since 1970. */
export const authenticate = (tenant: KnownTenant | undefined, shown: string, now: number): AuthenticatedCaller | null =>
  Caller.authenticate(tenant, shown, now);

const KEYS_IN_A_CHANGE_OVER = 2;
const NO_KEYS: readonly LiveKey[] = [];
/** Has always ended. */
const NO_KEY: LiveKey = { keyId: '', hash: Buffer.alloc(32), validUntil: Number.NEGATIVE_INFINITY };
