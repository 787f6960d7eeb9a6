import { createKeyring, decrypt, encrypt, TamperedError } from '../crypto/aead.ts';

/** What a secret belongs to. It decrypts only for the same tenant and purpose, so it cannot be moved to another row. */
export interface SecretContext {
  readonly tenantId: string;
  readonly purpose: string;
}

/** Keeps secrets of tenants as text. */
export interface SecretBox {
  /** `v1.KEYID.BASE64`: 12 bytes nonce, ciphertext, 16 bytes tag, in base64url. */
  encrypt(plaintext: string, context: SecretContext): string;
  /** Throws UnknownKeyError or TamperedError (crypto/aead.ts). */
  decrypt(encrypted: string, context: SecretContext): string;
  /** The id of the key that encrypts. */
  readonly firstKeyId: string;
}

const ENCRYPTED = /^v1\.([\w-]+)\.([\w-]+)$/;

/** `secretKeys` are 32 bytes in base64 under their ids; the first encrypts, all decrypt. Throws when one is no such key. */
export function createSecretBox(secretKeys: readonly { readonly id: string; readonly key: string }[]): SecretBox {
  const keys = createKeyring(secretKeys);
  return {
    firstKeyId: keys.first.id,
    encrypt(plaintext, context) {
      const { keyId, bytes } = encrypt(keys, Buffer.from(plaintext), associatedData(context));
      return `v1.${keyId}.${bytes.toString('base64url')}`;
    },
    decrypt(encrypted, context) {
      const what = `The ${context.purpose} of tenant ${context.tenantId}`;
      const [, keyId, body] = ENCRYPTED.exec(encrypted) ?? [];
      if (keyId === undefined || body === undefined) throw new TamperedError(what, '(none named)');
      const bytes = Buffer.from(body, 'base64url');
      return decrypt(keys, { keyId, bytes }, what, associatedData(context)).toString();
    },
  };
}

/** The id of the key that a secret is encrypted under; null when it is none of ours. */
export const keyIdOfSecret = (encrypted: string): string | null => ENCRYPTED.exec(encrypted)?.[1] ?? null;

/** As JSON no two contexts look the same, whatever is in their texts. */
const associatedData = ({ tenantId, purpose }: SecretContext): Buffer =>
  Buffer.from(JSON.stringify([tenantId, purpose]));
