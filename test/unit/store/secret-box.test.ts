import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { TamperedError, UnknownKeyError } from '../../../src/crypto/aead.ts';
import { createSecretBox } from '../../../src/store/secret-box.ts';

const key = (id: string) => ({ id, key: randomBytes(32).toString('base64') });
const [older, newer] = [key('2025'), key('2026')];
const context = { tenantId: 'acme', purpose: 'credentials/1' };

describe('secret box', () => {
  it('decrypts what it encrypted, and encrypts the same text differently each time', () => {
    const box = createSecretBox([newer]);
    const encrypted = box.encrypt('tökén', context);
    expect(box.decrypt(encrypted, context)).toBe('tökén');
    expect(box.encrypt('tökén', context)).not.toBe(encrypted);
    expect(box.decrypt(box.encrypt('', context), context)).toBe('');
  });

  it('encrypts with the first key and decrypts with all', () => {
    const encrypted = createSecretBox([older]).encrypt('token', context);
    const both = createSecretBox([newer, older]);
    expect(both.decrypt(encrypted, context)).toBe('token');
    expect(both.encrypt('token', context)).toMatch(/^v1\.2026\./);
  });

  it('decrypts what was encrypted before this code was', () => {
    const box = createSecretBox([newer, { id: '2025', key: Buffer.alloc(32, 'k').toString('base64') }]);
    const before = 'v1.2025.gxaBe2jhY_l4vMcF-zb-6l4LdxbOeb_lu51LRsQaZ5V6_Ao';
    expect(box.decrypt(before, context)).toBe('tökén');
  });

  it('names the key that is missing', () => {
    const encrypted = createSecretBox([older]).encrypt('token', context);
    expect(() => createSecretBox([newer]).decrypt(encrypted, context)).toThrow(
      new UnknownKeyError('The credentials/1 of tenant acme', '2025'),
    );
  });

  it('decrypts only for the tenant and the purpose it was encrypted for', () => {
    const box = createSecretBox([newer]);
    const encrypted = box.encrypt('token', context);
    for (const other of [
      { ...context, tenantId: 'beta' },
      { ...context, purpose: 'credentials/2' },
      { tenantId: 'acme"', purpose: 'x' },
    ]) {
      expect(() => box.decrypt(encrypted, other)).toThrow(TamperedError);
    }
  });

  it('notices every changed character, another key under the same id, and what is nothing encrypted at all', () => {
    const box = createSecretBox([newer]);
    const encrypted = box.encrypt('token', context);
    const body = encrypted.lastIndexOf('.') + 1;
    // The last character carries unused bits, so one before it.
    for (let at = body; at < encrypted.length - 1; at += 1) {
      const changed = `${encrypted.slice(0, at)}${encrypted[at] === 'A' ? 'B' : 'A'}${encrypted.slice(at + 1)}`;
      expect(() => box.decrypt(changed, context)).toThrow(TamperedError);
    }
    expect(() => createSecretBox([key('2026')]).decrypt(encrypted, context)).toThrow(TamperedError);
    for (const nothing of ['', 'token', 'v1.2026.', 'v1.2026.AAAA', encrypted.slice(0, -8)]) {
      expect(() => box.decrypt(nothing, context)).toThrow(TamperedError);
    }
  });
});
