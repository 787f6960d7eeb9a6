import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeDelivery, encodeDelivery } from '../../../src/queue/envelope.ts';
import { MAX_MESSAGE_BYTES } from '../../../src/queue/limits.ts';

/** The reference of SendMessage, without what fauxqs refuses. */
const ALLOWED = /^[\t\n\r\u0020-\uD7FF\uE000-\uFFFD]*$/;

const isJson = (body: Buffer): boolean => {
  try {
    JSON.parse(body.toString());
    return true;
  } catch {
    return false;
  }
};

const encoded = (body: Buffer, keyId = 'k'): string => {
  const result = encodeDelivery({ acceptedAt: 1_767_600_000_000, keyId, body }, { isJson: isJson(body) });
  if (result.kind !== 'message') throw new Error('too large');
  expect(result.bytes).toBe(Buffer.byteLength(result.text));
  return result.text;
};

const bodies = fc.oneof(
  fc.json().map((text) => Buffer.from(text)),
  fc.json().map((text) => Buffer.from(` \n${text}\t`)),
  fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc
    .constantFrom('', '{}', '}', '","json":', '\u{1F600}', '\ufffe', '\ufeff{}', '"\\ud800"')
    .map((text) => Buffer.from(text)),
);

test('any body comes back byte for byte, in a message that SQS takes and that is JSON', () => {
  fc.assert(
    fc.property(bodies, fc.string({ maxLength: 20 }), fc.nat(2 ** 45), (body, keyId, acceptedAt) => {
      const result = encodeDelivery(
        { acceptedAt, keyId: keyId.replace(/[^\x20-\x7e]/g, ''), body },
        { isJson: isJson(body) },
      );
      if (result.kind !== 'message') throw new Error('too large');
      expect(result.text).toMatch(ALLOWED);
      expect(() => JSON.parse(result.text)).not.toThrow();
      const opened = decodeDelivery(result.text);
      expect(opened?.body.equals(body)).toBe(true);
      expect(opened).toMatchObject({ acceptedAt, keyId: keyId.replace(/[^\x20-\x7e]/g, '') });
    }),
    { numRuns: 500 },
  );
});

describe('what a person sees in the queue', () => {
  test('JSON as it came', () => {
    expect(encoded(Buffer.from('{"id":"e"}'))).toBe('{"v":1,"at":1767600000000,"key":"k","json":{"id":"e"}}');
  });
  test('other text as a string', () => {
    expect(encoded(Buffer.from('hello "you"'))).toBe('{"v":1,"at":1767600000000,"key":"k","text":"hello \\"you\\""}');
  });
  test('what SQS refuses as base64', () => {
    expect(JSON.parse(encoded(Buffer.from([0, 255])))).toMatchObject({ base64: 'AP8=' });
  });
});

test('a message is too_large from the first byte over the limit', () => {
  const overhead = encoded(Buffer.from('1')).length - 1;
  const fits = Buffer.from(`"${'x'.repeat(MAX_MESSAGE_BYTES - overhead - 2)}"`);
  const options = { isJson: true };
  expect(encodeDelivery({ acceptedAt: 1_767_600_000_000, keyId: 'k', body: fits }, options)).toMatchObject({
    kind: 'message',
    bytes: MAX_MESSAGE_BYTES,
  });
  expect(
    encodeDelivery(
      { acceptedAt: 1_767_600_000_000, keyId: 'k', body: Buffer.concat([fits, Buffer.from(' ')]) },
      options,
    ),
  ).toEqual({ kind: 'too_large', bytes: MAX_MESSAGE_BYTES + 1 });
});

test.each([
  '',
  'hello',
  '{}',
  '[]',
  'null',
  '{"v":2,"at":1,"key":"k","text":""}',
  '{"v":1,"at":"1","key":"k","text":""}',
  '{"v":1,"at":1,"key":"k"}',
])('a foreign message is not opened: %s', (message) => {
  expect(decodeDelivery(message)).toBeNull();
});

test.each([
  ['an escape that JSON does not know', '{"v":1,"at":1,"key":"\\q","json":{}}'],
  ['a bare control character in the key', '{"v":1,"at":1,"key":"\u0001","json":{}}'],
  ['another version', '{"v":9}'],
  ['no JSON', 'somebody else wrote this'],
])('a message that cannot be opened is no delivery: %s', (_, text) => {
  expect(decodeDelivery(text)).toBeNull();
});

test('no text makes it throw', () => {
  const heads = fc.constantFrom('{"v":1,"at":1,"key":"', '{"v":1,"at":99999999999999999,"key":"k","json":', '');
  fc.assert(fc.property(heads, fc.string({ unit: 'binary' }), (head, rest) => void decodeDelivery(head + rest)));
});
