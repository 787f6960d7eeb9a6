import { METADATA_ENCODING_KEY, type Payload, type PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { createKeyring, decrypt, encrypt } from '../crypto/aead.ts';

/** Payloads as they go over the wire: every language's SDK encrypts these same bytes. */
const { Payload: wire } = proto.temporal.api.common.v1;

/** Part of what every stored history is encrypted with: it stays. */
const PURPOSE = 'idiomatic temporal payload v1';
/** Temporal's own examples name it so, and Temporal UI shows it. */
const ENCRYPTED = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';

/**
 * Encrypts each payload, its metadata included; the key's id is beside it, and `data` is what crypto/aead.ts gives. The keys are derived from
 * `secretKeys` (32 bytes in base64 under an id): what is encrypted in Postgres and what is encrypted in a history never share one.
 * What is not encrypted passes `decode` as it is: histories from before, and signals that a person sends as plain JSON.
 * Throws when there is no key or an id twice; `decode` throws UnknownKeyError or TamperedError (crypto/aead.ts).
 */
export function createPayloadCodec(secretKeys: readonly { readonly id: string; readonly key: string }[]): PayloadCodec {
  const keys = createKeyring(secretKeys, PURPOSE);
  return {
    encode: async (payloads) =>
      payloads.map((payload) => {
        const { keyId, bytes } = encrypt(keys, wire.encode(payload).finish());
        return {
          metadata: { [METADATA_ENCODING_KEY]: Buffer.from(ENCRYPTED), [KEY_ID]: Buffer.from(keyId) },
          data: bytes,
        };
      }),
    decode: async (payloads) =>
      payloads.map((payload) => {
        if (!isEncrypted(payload)) return payload;
        const id = payload.metadata?.[KEY_ID];
        const keyId = id == null ? '(none named)' : text(id);
        return wire.decode(decrypt(keys, { keyId, bytes: payload.data ?? new Uint8Array() }, 'A payload'));
      }),
  };
}

/** Whether this codec, or one like it, made the payload. */
export function isEncrypted({ metadata }: Payload): boolean {
  const encoding = metadata?.[METADATA_ENCODING_KEY];
  return encoding != null && text(encoding) === ENCRYPTED;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
