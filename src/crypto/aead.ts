import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** Keys of AES-256-GCM under their ids: the first encrypts, all decrypt. */
export interface Keyring {
  readonly first: AeadKey;
  byId(id: string): AeadKey | undefined;
}

export interface AeadKey {
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

export interface Ciphertext {
  readonly keyId: string;
  /** 12 bytes nonce, the encrypted bytes, 16 bytes tag. */
  readonly bytes: Uint8Array;
}

/** `what` begins the message; it is for the log and holds no secret. */
export abstract class DecryptionError extends Error {}

/** Encrypted under a key that the configuration does not hold. */
export class UnknownKeyError extends DecryptionError {
  override readonly name = 'UnknownKeyError';

  constructor(what: string, keyId: string) {
    super(`${what} is encrypted under key ${keyId}, which SECRET_KEYS does not hold: put it back, after the first one`);
  }
}

/** The id of the key that a message of UnknownKeyError names; null for any other. A failure that was in Temporal has nothing but its message. */
export const missingKeyIn = (message: string): string | null =>
  /is encrypted under key ([\w-]+), which SECRET_KEYS does not hold/.exec(message)?.[1] ?? null;

/** Not what was encrypted, or encrypted with other associated data, or a key's id was given to another key. */
export class TamperedError extends DecryptionError {
  override readonly name = 'TamperedError';

  constructor(what: string, keyId: string) {
    super(
      `${what} cannot be decrypted: it was altered, or SECRET_KEYS holds another key under the id ${keyId} than the one that encrypted it`,
    );
  }
}

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
/** NIST SP 800-38D: 96 bits, random, are safe for 2^32 encryptions under one key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID = /^[\w-]+$/;

/**
 * The keys of SECRET_KEYS: 32 bytes in base64 under an id. With a `purpose` each is derived from its secret key by HKDF-SHA-256, so that no two
 * purposes share a key. Throws when there is no key, when one has not this form, and when an id is there twice.
 */
export function createKeyring(
  secretKeys: readonly { readonly id: string; readonly key: string }[],
  purpose?: string,
): Keyring {
  const known = new Map(
    secretKeys.map(({ id, key }) => {
      const secret = keyOf(id, key);
      return [id, { id, key: purpose === undefined ? secret : derived(secret, purpose) }];
    }),
  );
  const [first] = known.values();
  if (first === undefined || known.size !== secretKeys.length) {
    throw new Error('SECRET_KEYS needs one key at least, each under an id of its own');
  }
  return { first, byId: (id) => known.get(id) };
}

/** Encrypts under the first key, with a random nonce. `associatedData` is not in the result: decryption needs the same. */
export function encrypt(
  { first }: Keyring,
  plaintext: Uint8Array,
  associatedData: Uint8Array = NOTHING,
): Ciphertext & { readonly bytes: Buffer } {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, first.key, nonce, { authTagLength: TAG_BYTES }).setAAD(associatedData);
  const bytes = [nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()];
  return { keyId: first.id, bytes: Buffer.concat(bytes) };
}

/** The plaintext. Throws UnknownKeyError or TamperedError, which begin with `what`: no byte of an altered ciphertext is given out. */
export function decrypt(
  keys: Keyring,
  { keyId, bytes }: Ciphertext,
  what: string,
  associatedData: Uint8Array = NOTHING,
): Buffer {
  const found = keys.byId(keyId);
  if (found === undefined) throw new UnknownKeyError(what, keyId);
  if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new TamperedError(what, keyId);
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv(ALGORITHM, found.key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(associatedData)
    .setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    throw new TamperedError(what, keyId);
  }
}

const NOTHING = new Uint8Array();

function keyOf(id: string, key: string): Buffer {
  const bytes = Buffer.from(key, 'base64');
  if (!KEY_ID.test(id) || bytes.length !== KEY_BYTES) {
    throw new Error(
      `SECRET_KEYS: the key under the id ${KEY_ID.test(id) ? id : '(not an id)'} must be ${KEY_BYTES} bytes in base64`,
    );
  }
  return bytes;
}

const derived = (secret: Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, NOTHING, purpose, KEY_BYTES));
