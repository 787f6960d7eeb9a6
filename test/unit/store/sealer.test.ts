import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createSealer, TamperedError, UnknownKeyError } from '../../../src/store/sealer.ts';

const key = (id: string) => ({ id, key: randomBytes(32).toString('base64') });
const [older, newer] = [key('2025'), key('2026')];
const context = { tenantId: 'acme', purpose: 'credentials/1' };

describe('sealer', () => {
  it('opens what it sealed, and seals the same text differently each time', () => {
    const sealer = createSealer([newer]);
    const sealed = sealer.seal('tökén', context);
    expect(sealer.open(sealed, context)).toBe('tökén');
    expect(sealer.seal('tökén', context)).not.toBe(sealed);
    expect(sealer.open(sealer.seal('', context), context)).toBe('');
  });

  it('seals with the first key and opens with all', () => {
    const sealed = createSealer([older]).seal('token', context);
    const both = createSealer([newer, older]);
    expect(both.open(sealed, context)).toBe('token');
    expect(both.seal('token', context)).toMatch(/^v1\.2026\./);
  });

  it('names the key that is missing', () => {
    const sealed = createSealer([older]).seal('token', context);
    expect(() => createSealer([newer]).open(sealed, context)).toThrow(new UnknownKeyError('2025'));
  });

  it('opens only for the tenant and the purpose it was sealed for', () => {
    const sealer = createSealer([newer]);
    const sealed = sealer.seal('token', context);
    for (const other of [
      { ...context, tenantId: 'beta' },
      { ...context, purpose: 'credentials/2' },
      { tenantId: 'acme"', purpose: 'x' },
    ]) {
      expect(() => sealer.open(sealed, other)).toThrow(TamperedError);
    }
  });

  it('notices every changed character, another key under the same id, and what is no seal at all', () => {
    const sealer = createSealer([newer]);
    const sealed = sealer.seal('token', context);
    const body = sealed.lastIndexOf('.') + 1;
    // The last character carries unused bits, so one before it.
    for (let at = body; at < sealed.length - 1; at += 1) {
      const changed = `${sealed.slice(0, at)}${sealed[at] === 'A' ? 'B' : 'A'}${sealed.slice(at + 1)}`;
      expect(() => sealer.open(changed, context)).toThrow(TamperedError);
    }
    expect(() => createSealer([key('2026')]).open(sealed, context)).toThrow(TamperedError);
    for (const nothing of ['', 'token', 'v1.2026.', 'v1.2026.AAAA', sealed.slice(0, -8)]) {
      expect(() => sealer.open(nothing, context)).toThrow(TamperedError);
    }
  });

  it('refuses keys that are none, and does not repeat them', () => {
    expect(() => createSealer([])).toThrow('one key at least');
    expect(() => createSealer([newer, { ...older, id: '2026' }])).toThrow('id of its own');
    expect(() => createSealer([{ id: 'short', key: 'c2VjcmV0' }])).toThrow(
      /^SECRET_KEYS: the key under the id short must be 32 bytes in base64$/,
    );
  });
});
