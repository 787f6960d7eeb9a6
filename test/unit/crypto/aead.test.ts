import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createKeyring, decrypt, encrypt, TamperedError, UnknownKeyError } from '../../../src/crypto/aead.ts';

const secret = (id: string) => ({ id, key: randomBytes(32).toString('base64') });
const [older, newer] = [secret('2025'), secret('2026')];
const bytes = Buffer.from('tökén');
const context = Buffer.from('acme');

describe('authenticated encryption', () => {
  it('gives back any bytes, with or without associated data, and never gives the same ciphertext twice', () => {
    const keys = createKeyring([newer]);
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (plain, associated) => {
        expect(decrypt(keys, encrypt(keys, plain, associated), 'It', associated)).toEqual(Buffer.from(plain));
      }),
    );
    expect(decrypt(keys, encrypt(keys, bytes), 'It')).toEqual(bytes);
    expect(encrypt(keys, bytes).bytes).not.toEqual(encrypt(keys, bytes).bytes);
  });

  it('decrypts what another implementation of AES-256-GCM encrypted: test case 16 of its specification', () => {
    const hex = (text: string) => Buffer.from(text, 'hex');
    const key = hex('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308').toString('base64');
    const nonce = 'cafebabefacedbaddecaf888';
    const ciphertext =
      '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662';
    const tag = '76fc6ece0f4e1768cddf8853bb2d551b';
    const plain = decrypt(
      createKeyring([{ id: 'k', key }]),
      { keyId: 'k', bytes: hex(nonce + ciphertext + tag) },
      'It',
      hex('feedfacedeadbeeffeedfacedeadbeefabaddad2'),
    );
    expect(plain.toString('hex')).toBe(
      'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
    );
  });

  it('encrypts under the first key, decrypts under all, and names the one that is missing', () => {
    const before = encrypt(createKeyring([older]), bytes);
    const both = createKeyring([newer, older]);
    expect(decrypt(both, before, 'It')).toEqual(bytes);
    expect(encrypt(both, bytes).keyId).toBe('2026');
    expect(() => decrypt(createKeyring([newer]), before, 'It')).toThrow(new UnknownKeyError('It', '2025'));
  });

  it('notices every changed bit, what was cut short, other associated data, and another key under the same id', () => {
    const keys = createKeyring([newer]);
    const good = encrypt(keys, bytes, context);
    for (let bit = 0; bit < good.bytes.length * 8; bit += 1) {
      const changed = Buffer.from(good.bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => decrypt(keys, { ...good, bytes: changed }, 'It', context)).toThrow(TamperedError);
    }
    for (let length = 0; length < good.bytes.length; length += 1) {
      const cut = { ...good, bytes: good.bytes.subarray(0, length) };
      expect(() => decrypt(keys, cut, 'It', context)).toThrow(TamperedError);
    }
    expect(() => decrypt(keys, good, 'It')).toThrow(TamperedError);
    expect(() => decrypt(createKeyring([secret('2026')]), good, 'It', context)).toThrow(TamperedError);
  });

  it('has another key for each purpose, the same one each time', () => {
    const [one, other] = [createKeyring([newer], 'one'), createKeyring([newer], 'other')];
    const encrypted = encrypt(one, bytes);
    for (const keys of [other, createKeyring([newer])]) {
      expect(() => decrypt(keys, encrypted, 'It')).toThrow(TamperedError);
    }
    expect(decrypt(createKeyring([older, newer], 'one'), encrypted, 'It')).toEqual(bytes);
  });

  it('refuses keys that are none, and does not repeat them', () => {
    expect(() => createKeyring([])).toThrow('one key at least');
    expect(() => createKeyring([newer, { ...older, id: '2026' }])).toThrow('id of its own');
    expect(() => createKeyring([{ id: 'short', key: 'c2VjcmV0' }])).toThrow(
      /^SECRET_KEYS: the key under the id short must be 32 bytes in base64$/,
    );
    expect(() => createKeyring([{ id: 'c2VjcmV0/', key: 'short' }])).toThrow('the id (not an id)');
  });
});
