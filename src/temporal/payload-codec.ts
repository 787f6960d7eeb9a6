import { METADATA_ENCODING_KEY, type Payload, type PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { encodingOf, unopened } from '../contracts/unreadable.ts';
import { createKeyring, DecryptionError, decrypt, encrypt } from '../crypto/aead.ts';

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
 * `decode` never throws, as that would end the worker's process: what cannot be decrypted becomes a payload that says so (contracts/unreadable.ts).
 * Throws when there is no key or an id twice.
 */
export function createPayloadCodec(secretKeys: readonly { readonly id: string; readonly key: string }[]): PayloadCodec {
  const keys = createKeyring(secretKeys, PURPOSE);
  const opened = (payload: Payload): Payload => {
    const bytes = payload.data ?? new Uint8Array();
    return wire.decode(decrypt(keys, { keyId: keyIdOf(payload) ?? '(none named)', bytes }, 'It'));
  };
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
        try {
          return opened(payload);
        } catch (error) {
          return unopened(error instanceof DecryptionError ? error.message : 'it is damaged');
        }
      }),
  };
}

/** The id of the key under which it is encrypted; null when none is named. */
export function keyIdOf({ metadata }: Payload): string | null {
  const id = metadata?.[KEY_ID];
  return id == null ? null : text(id);
}

/** Whether this codec, or one like it, made the payload. */
export const isEncrypted = (payload: Payload): boolean => encodingOf(payload) === ENCRYPTED;

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
