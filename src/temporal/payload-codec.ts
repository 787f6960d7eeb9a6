import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { METADATA_ENCODING_KEY, type Payload, type PayloadCodec, ValueError } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { PayloadKey, PayloadKeys } from './keys.ts';

/** Payloads as they go over the wire: every language's SDK seals these same bytes. */
const { Payload: wire } = proto.temporal.api.common.v1;

const ALGORITHM = 'aes-256-gcm';
/** NIST SP 800-38D: 96 bits, random, are safe for 2^32 seals under one key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Temporal's own examples name it so, and Temporal UI shows it. */
const ENCRYPTED = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';

/** Sealed under a key that the configuration does not hold. */
export class UnknownPayloadKeyError extends ValueError {
  override readonly name = 'UnknownPayloadKeyError';

  constructor(keyId: string) {
    super(`A payload is sealed under key ${keyId}, which SECRET_KEYS does not hold: put it back, after the first one`);
  }
}

/** Not what was sealed, or a key's id was given to another key. */
export class TamperedPayloadError extends ValueError {
  override readonly name = 'TamperedPayloadError';

  constructor(keyId: string) {
    super(
      `A payload cannot be opened: it was altered, or SECRET_KEYS holds another key under the id ${keyId} than the one that sealed it`,
    );
  }
}

/**
 * Seals each payload, its metadata included, with AES-256-GCM; the key's id is beside it. `data` is 12 bytes nonce, ciphertext, 16 bytes tag.
 * What is not sealed passes `decode` as it is: histories from before, and signals that a person sends as plain JSON.
 * `decode` throws UnknownPayloadKeyError or TamperedPayloadError.
 */
export function createPayloadCodec(keys: PayloadKeys): PayloadCodec {
  return {
    encode: async (payloads) => payloads.map((payload) => seal(keys.first, payload)),
    decode: async (payloads) => payloads.map((payload) => (isSealed(payload) ? open(keys, payload) : payload)),
  };
}

export function isSealed({ metadata }: Payload): boolean {
  const encoding = metadata?.[METADATA_ENCODING_KEY];
  return encoding != null && text(encoding) === ENCRYPTED;
}

function seal({ id, key }: PayloadKey, payload: Payload): Payload {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  const sealed = [nonce, cipher.update(wire.encode(payload).finish()), cipher.final(), cipher.getAuthTag()];
  return {
    metadata: { [METADATA_ENCODING_KEY]: Buffer.from(ENCRYPTED), [KEY_ID]: Buffer.from(id) },
    data: Buffer.concat(sealed),
  };
}

function open(keys: PayloadKeys, { metadata, data }: Payload): Payload {
  const id = metadata?.[KEY_ID];
  const keyId = id == null ? '(none named)' : text(id);
  const found = keys.byId(keyId);
  if (found === undefined) throw new UnknownPayloadKeyError(keyId);
  const bytes = data ?? new Uint8Array();
  if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new TamperedPayloadError(keyId);
  const decipher = createDecipheriv(ALGORITHM, found.key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    const opened = [decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()];
    return wire.decode(Buffer.concat(opened));
  } catch {
    throw new TamperedPayloadError(keyId);
  }
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
