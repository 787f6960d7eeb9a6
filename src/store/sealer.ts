import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** What a sealed secret belongs to. A seal opens only for the same tenant and purpose, so it cannot be moved to another row. */
export interface SealContext {
  readonly tenantId: string;
  readonly purpose: string;
}

export interface Sealer {
  /** `v1.KEYID.BASE64`: 12 bytes nonce, ciphertext, 16 bytes tag. */
  seal(plaintext: string, context: SealContext): string;
  /** Throws UnknownKeyError or TamperedError. */
  open(sealed: string, context: SealContext): string;
}

/** Sealed under a key that the configuration does not hold. */
export class UnknownKeyError extends Error {
  override readonly name = 'UnknownKeyError';
  readonly keyId: string;

  constructor(keyId: string) {
    super(`A secret is sealed under key ${keyId}, which SECRET_KEYS does not hold: put it back, after the first one`);
    this.keyId = keyId;
  }
}

/** Not what was sealed, or sealed for another tenant or purpose, or a key's id was given to another key. */
export class TamperedError extends Error {
  override readonly name = 'TamperedError';

  constructor({ tenantId, purpose }: SealContext) {
    super(
      `The ${purpose} of tenant ${tenantId} cannot be opened: it was altered, or SECRET_KEYS holds another key under the same id`,
    );
  }
}

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
/** NIST SP 800-38D: 96 bits, random, are safe for 2^32 seals under one key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID = /^[\w-]+$/;
const SEALED = /^v1\.([\w-]+)\.([\w-]+)$/;

/** `keys` are 32 bytes in base64 under their ids; the first seals, all open. Throws when one is no such key. */
export function createSealer(keys: readonly { readonly id: string; readonly key: string }[]): Sealer {
  const known = new Map(keys.map(({ id, key }) => [id, keyOf(id, key)]));
  const first = keys[0]?.id;
  const firstKey = first === undefined ? undefined : known.get(first);
  if (firstKey === undefined || known.size !== keys.length) {
    throw new Error('SECRET_KEYS needs one key at least, each under an id of its own');
  }

  return {
    seal(plaintext, context) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, firstKey, nonce, { authTagLength: TAG_BYTES }).setAAD(aad(context));
      const bytes = [nonce, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()];
      return `v1.${first}.${Buffer.concat(bytes).toString('base64url')}`;
    },
    open(sealed, context) {
      const [, id, body] = SEALED.exec(sealed) ?? [];
      if (id === undefined || body === undefined) throw new TamperedError(context);
      const key = known.get(id);
      if (key === undefined) throw new UnknownKeyError(id);
      return decrypt(key, Buffer.from(body, 'base64url'), context);
    },
  };
}

function decrypt(key: Buffer, bytes: Buffer, context: SealContext): string {
  if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new TamperedError(context);
  const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(aad(context))
    .setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    throw new TamperedError(context);
  }
}

/** As JSON no two contexts look the same, whatever is in their texts. */
const aad = ({ tenantId, purpose }: SealContext): Buffer => Buffer.from(JSON.stringify([tenantId, purpose]));

function keyOf(id: string, key: string): Buffer {
  const bytes = Buffer.from(key, 'base64');
  if (!KEY_ID.test(id) || bytes.length !== KEY_BYTES) {
    throw new Error(
      `SECRET_KEYS: the key under the id ${KEY_ID.test(id) ? id : '(not an id)'} must be ${KEY_BYTES} bytes in base64`,
    );
  }
  return bytes;
}
