import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { whyUnopened } from '../../../src/contracts/unreadable.ts';
import { createKeyring, decrypt, TamperedError } from '../../../src/crypto/aead.ts';
import { createPayloadCodec, isEncrypted } from '../../../src/temporal/payload-codec.ts';

const secret = (id: string) => ({ id, key: randomBytes(32).toString('base64') });
const codecWith = (...keys: ReturnType<typeof secret>[]) => createPayloadCodec(keys);
const k1 = secret('k1');
const k2 = secret('k2');
const plain = (value: unknown): Payload => defaultPayloadConverter.toPayload(value) ?? {};
const read = (payload: Payload | undefined): unknown => defaultPayloadConverter.fromPayload(payload ?? {});

async function encrypted(codec: ReturnType<typeof codecWith>, value: unknown): Promise<Payload & { data: Uint8Array }> {
  const [payload] = await codec.encode([plain(value)]);
  if (!payload?.data) throw new Error('nothing was encrypted');
  return { ...payload, data: payload.data };
}

describe('the payload codec', () => {
  it('gives back whatever was encrypted, metadata and data, byte for byte', async () => {
    const codec = codecWith(k1);
    const payload = fc.record({
      metadata: fc.dictionary(
        fc.string({ minLength: 1 }).filter((it) => it !== '__proto__'),
        fc.uint8Array(),
      ),
      data: fc.uint8Array({ maxLength: 5_000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(payload, { maxLength: 5 }), async (payloads) => {
        const decoded = await codec.decode(await codec.encode(payloads));
        expect(decoded.map(bytesOf)).toEqual(payloads.map(bytesOf));
      }),
      { numRuns: 50 },
    );
  });

  it('decrypts payloads that were encrypted before this code was', async () => {
    const before = [
      'ReWCRPYtrSPbZkBisI5ZIRKb9TQmftZhOR9RE4A1lX20ucEN6k/wJ6SpM8YXMfq9DYWldgpI3B1X+b/oiQaRP6e72xI=',
      'o+iutSIrletux/Tlvh2ylcG3VRZxKr6PemTdmuV6Y5/KW9GrmpUWEvzi9UQ5y0brhzHRLizbnA==',
      'u4UriNOV7KEcmlFbDAdHDWnKNuk/kK0qcUxk59Y/',
    ].map((data) => ({
      metadata: { encoding: Buffer.from('binary/encrypted'), 'encryption-key-id': Buffer.from('k1') },
      data: Buffer.from(data, 'base64'),
    }));
    const decoded = await codecWith({ id: 'k1', key: Buffer.alloc(32, 'k').toString('base64') }).decode(before);
    expect(decoded.map(bytesOf)).toEqual([plain('moving house'), plain(undefined), {}].map(bytesOf));
  });

  it('leaves nothing to read but the key’s id, and never encrypts the same twice alike', async () => {
    const codec = codecWith(k1);
    const one = await encrypted(codec, { by: 'ann', reason: 'moving house' });
    const other = await encrypted(codec, { by: 'ann', reason: 'moving house' });
    expect(Object.keys(one.metadata ?? {})).toEqual(['encoding', 'encryption-key-id']);
    expect(Buffer.from(one.metadata?.['encoding'] ?? []).toString()).toBe('binary/encrypted');
    expect(Buffer.from(one.metadata?.['encryption-key-id'] ?? []).toString()).toBe('k1');
    expect(Buffer.from(one.data).includes('ann')).toBe(false);
    expect(Buffer.from(one.data).includes('json/plain')).toBe(false);
    expect(one.data).not.toEqual(other.data);
  });

  it('passes what is not encrypted as it is: older histories, and signals typed by a person', async () => {
    const payload = plain({ by: 'ann' });
    expect(await codecWith(k1).decode([payload])).toEqual([payload]);
    expect(await codecWith(k1).decode([{}])).toEqual([{}]);
  });

  it('encrypts with the first key and decrypts with all of them', async () => {
    const old = await encrypted(codecWith(k1), 'before');
    const rotated = codecWith(k2, k1);
    const fresh = await encrypted(rotated, 'after');
    expect(Buffer.from(fresh.metadata?.['encryption-key-id'] ?? []).toString()).toBe('k2');
    const decoded = await rotated.decode([old, plain('typed'), fresh]);
    expect(decoded.map(read)).toEqual(['before', 'typed', 'after']);
  });

  it('says which key is missing, opens the others, and does not throw', async () => {
    const codec = codecWith(k2);
    const payloads = [await encrypted(codecWith(k1), 'before'), await encrypted(codec, 'after')];
    const [lost = {}, mine] = await codec.decode(payloads);
    expect(whyUnopened(lost)).toContain('key k1');
    expect(read(mine)).toBe('after');
  });

  it.each([
    ['one bit altered', (data: Uint8Array) => data.with(20, (data[20] ?? 0) ^ 1)],
    ['cut short', (data: Uint8Array) => data.slice(0, 27)],
    ['empty', () => new Uint8Array()],
  ])('opens no payload that was tampered with: %s', async (_, spoil) => {
    const codec = codecWith(k1);
    const payload = await encrypted(codec, { reason: 'moving' });
    const [spoilt = {}] = await codec.decode([{ ...payload, data: spoil(payload.data) }]);
    expect(whyUnopened(spoilt)).toContain('altered');
  });

  it('opens nothing with another key under the same id, and nothing that names no key', async () => {
    const payload = await encrypted(codecWith(k1), 'x');
    const [other = {}] = await codecWith({ id: 'k1', key: k2.key }).decode([payload]);
    expect(whyUnopened(other)).toContain('k1');
    const [bare = {}] = await codecWith(k1).decode([{ metadata: { encoding: Buffer.from('binary/encrypted') } }]);
    expect(whyUnopened(bare)).toContain('none named');
  });

  it('does not encrypt with the secret key itself: what decrypts Postgres does not decrypt a history', async () => {
    const { data } = await encrypted(codecWith(k1), 'x');
    expect(() => decrypt(createKeyring([k1]), { keyId: 'k1', bytes: data }, 'It')).toThrow(TamperedError);
  });

  it('knows an encrypted payload from others', async () => {
    expect(isEncrypted(await encrypted(codecWith(k1), 1))).toBe(true);
    expect(isEncrypted(plain(1))).toBe(false);
    expect(isEncrypted({})).toBe(false);
  });
});

function bytesOf({ metadata, data }: Payload) {
  return {
    metadata: Object.fromEntries(
      Object.entries(metadata ?? {})
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, value]) => [name, Buffer.from(value).toString('hex')]),
    ),
    data: Buffer.from(data ?? []).toString('hex'),
  };
}
