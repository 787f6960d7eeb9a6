import type { Payload } from '@temporalio/common';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isUnreadable, unopened, whyUnreadable } from '../../../src/contracts/unreadable.ts';
import { payloadConverter } from '../../../src/temporal/payload-converter.ts';

const payload = (encoding: string, data = ''): Payload => ({
  metadata: { encoding: Buffer.from(encoding) },
  data: Buffer.from(data),
});

describe('the payload converter', () => {
  it('reads what it wrote', () => {
    for (const value of [{ by: 'ann' }, [], 'text', 7, null, true]) {
      expect(payloadConverter.fromPayload(payloadConverter.toPayload(value))).toEqual(value);
    }
    expect(payloadConverter.fromPayload(payloadConverter.toPayload(undefined))).toBeUndefined();
  });

  it.each([
    ['an encoding of another SDK', payload('json/protobuf', '{}')],
    ['an encoding nobody knows', payload('x'.repeat(5_000))],
    ['JSON that is none', payload('json/plain', '{"by": ')],
    ['no data', { metadata: { encoding: Buffer.from('json/plain') } }],
    ['no metadata', { data: Buffer.from('{}') }],
    ['nothing', {}],
    ['what the codec could not open', unopened('key k9 is not known')],
    ['what only looks encrypted', payload('binary/encrypted', 'AAAA')],
  ])('says that it cannot be read: %s', (_, given) => {
    const value = payloadConverter.fromPayload(given);
    expect(isUnreadable(value)).toBe(true);
    expect(whyUnreadable([1, value])?.length).toBeLessThan(200);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string(), fc.uint8Array({ maxLength: 200 }), (encoding, data) => {
        payloadConverter.fromPayload({ metadata: { encoding: Buffer.from(encoding) }, data });
      }),
    );
  });
});
