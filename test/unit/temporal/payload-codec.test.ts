import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { payloadKeys } from '../../../src/temporal/keys.ts';
import {
  createPayloadCodec,
  isSealed,
  TamperedPayloadError,
  UnknownPayloadKeyError,
} from '../../../src/temporal/payload-codec.ts';

const secret = (id: string) => ({ id, key: randomBytes(32).toString('base64') });
const codecWith = (...keys: ReturnType<typeof secret>[]) => createPayloadCodec(payloadKeys(keys));
const k1 = secret('k1');
const k2 = secret('k2');
const plain = (value: unknown): Payload => defaultPayloadConverter.toPayload(value) ?? {};
const read = (payload: Payload | undefined): unknown => defaultPayloadConverter.fromPayload(payload ?? {});

async function sealed(codec: ReturnType<typeof codecWith>, value: unknown): Promise<Payload & { data: Uint8Array }> {
  const [payload] = await codec.encode([plain(value)]);
  if (!payload?.data) throw new Error('nothing was sealed');
  return { ...payload, data: payload.data };
}

describe('the payload codec', () => {
  it('gives back whatever was sealed, metadata and data, byte for byte', async () => {
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
        const opened = await codec.decode(await codec.encode(payloads));
        expect(opened.map(bytesOf)).toEqual(payloads.map(bytesOf));
      }),
      { numRuns: 50 },
    );
  });

  it('opens payloads that were sealed before this code was', async () => {
    const sealedOnce = [
      'ReWCRPYtrSPbZkBisI5ZIRKb9TQmftZhOR9RE4A1lX20ucEN6k/wJ6SpM8YXMfq9DYWldgpI3B1X+b/oiQaRP6e72xI=',
      'o+iutSIrletux/Tlvh2ylcG3VRZxKr6PemTdmuV6Y5/KW9GrmpUWEvzi9UQ5y0brhzHRLizbnA==',
      'u4UriNOV7KEcmlFbDAdHDWnKNuk/kK0qcUxk59Y/',
    ].map((data) => ({
      metadata: { encoding: Buffer.from('binary/encrypted'), 'encryption-key-id': Buffer.from('k1') },
      data: Buffer.from(data, 'base64'),
    }));
    const opened = await codecWith({ id: 'k1', key: Buffer.alloc(32, 'k').toString('base64') }).decode(sealedOnce);
    expect(opened.map(bytesOf)).toEqual([plain('moving house'), plain(undefined), {}].map(bytesOf));
  });

  it('leaves nothing to read but the key’s id, and never seals the same twice alike', async () => {
    const codec = codecWith(k1);
    const one = await sealed(codec, { by: 'ann', reason: 'moving house' });
    const other = await sealed(codec, { by: 'ann', reason: 'moving house' });
    expect(Object.keys(one.metadata ?? {})).toEqual(['encoding', 'encryption-key-id']);
    expect(Buffer.from(one.metadata?.['encoding'] ?? []).toString()).toBe('binary/encrypted');
    expect(Buffer.from(one.metadata?.['encryption-key-id'] ?? []).toString()).toBe('k1');
    expect(Buffer.from(one.data).includes('ann')).toBe(false);
    expect(Buffer.from(one.data).includes('json/plain')).toBe(false);
    expect(one.data).not.toEqual(other.data);
  });

  it('passes what is not sealed as it is: older histories, and signals typed by a person', async () => {
    const payload = plain({ by: 'ann' });
    expect(await codecWith(k1).decode([payload])).toEqual([payload]);
    expect(await codecWith(k1).decode([{}])).toEqual([{}]);
  });

  it('seals with the first key and opens with all of them', async () => {
    const old = await sealed(codecWith(k1), 'before');
    const rotated = codecWith(k2, k1);
    const fresh = await sealed(rotated, 'after');
    expect(Buffer.from(fresh.metadata?.['encryption-key-id'] ?? []).toString()).toBe('k2');
    const opened = await rotated.decode([old, plain('typed'), fresh]);
    expect(opened.map(read)).toEqual(['before', 'typed', 'after']);
  });

  it('names the key that is missing', async () => {
    const payload = await sealed(codecWith(k1), 'before');
    const error: unknown = await codecWith(k2)
      .decode([payload])
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnknownPayloadKeyError);
    expect(String(error)).toContain('key k1');
  });

  it.each([
    ['one bit altered', (data: Uint8Array) => data.with(20, (data[20] ?? 0) ^ 1)],
    ['cut short', (data: Uint8Array) => data.slice(0, 27)],
    ['empty', () => new Uint8Array()],
  ])('refuses a payload that was tampered with: %s', async (_, spoil) => {
    const codec = codecWith(k1);
    const payload = await sealed(codec, { reason: 'moving' });
    await expect(codec.decode([{ ...payload, data: spoil(payload.data) }])).rejects.toBeInstanceOf(
      TamperedPayloadError,
    );
  });

  it('refuses another key under the same id', async () => {
    const payload = await sealed(codecWith(k1), 'x');
    const stranger = codecWith({ id: 'k1', key: k2.key });
    await expect(stranger.decode([payload])).rejects.toBeInstanceOf(TamperedPayloadError);
  });

  it('does not seal with the secret key itself: what opens Postgres does not open a history', () => {
    expect(payloadKeys([k1]).first.key.toString('base64')).not.toBe(k1.key);
    expect(payloadKeys([k1]).first.key).toEqual(payloadKeys([k2, k1]).byId('k1')?.key);
  });

  it('wants a key, and each id once', () => {
    expect(() => payloadKeys([])).toThrow('one key at least');
    expect(() => payloadKeys([k1, { ...k2, id: 'k1' }])).toThrow('id of its own');
  });

  it('knows a sealed payload from others', async () => {
    expect(isSealed(await sealed(codecWith(k1), 1))).toBe(true);
    expect(isSealed(plain(1))).toBe(false);
    expect(isSealed({})).toBe(false);
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
