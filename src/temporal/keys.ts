import { hkdfSync } from 'node:crypto';

/** A key for Temporal's payloads. Its id is that of the secret key it was derived from. */
export interface PayloadKey {
  readonly id: string;
  readonly key: Buffer;
}

/** The first one seals, all of them open. */
export interface PayloadKeys {
  readonly first: PayloadKey;
  byId(id: string): PayloadKey | undefined;
}

const KEY_BYTES = 32;
/** Part of what every stored history is sealed with: it stays. */
const PURPOSE = 'idiomatic temporal payload v1';

/**
 * Derives a payload key from each of SECRET_KEYS (32 bytes in base64 under an id) by HKDF-SHA-256. Payloads thus have keys of their own: what is
 * sealed in Postgres and what is sealed in a history never share one. Throws when there is no key, or an id twice.
 */
export function payloadKeys(secretKeys: readonly { readonly id: string; readonly key: string }[]): PayloadKeys {
  const known = new Map(secretKeys.map(({ id, key }) => [id, { id, key: derived(key) }]));
  const [first] = known.values();
  if (first === undefined || known.size !== secretKeys.length) {
    throw new Error('SECRET_KEYS needs one key at least, each under an id of its own');
  }
  return { first, byId: (id) => known.get(id) };
}

function derived(key: string): Buffer {
  const secret = Buffer.from(key, 'base64');
  if (secret.length !== KEY_BYTES) throw new Error(`SECRET_KEYS: a key must be ${KEY_BYTES} bytes in base64`);
  return Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), PURPOSE, KEY_BYTES));
}
