import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Frame, FrameReader } from '../../../dev/postgres/frames.ts';

/** Length, protocol version 3.0 and the end of the parameters. */
const STARTUP = Buffer.from([0, 0, 0, 9, 0, 3, 0, 0, 0]);

function message(type: string, body: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/** Every frame that comes out when `bytes` come in pieces that end at `cuts`. */
function framesOf(bytes: Buffer, cuts: readonly number[]): Frame[] {
  const reader = new FrameReader();
  const ends = [...new Set(cuts.filter((cut) => cut < bytes.length)), bytes.length].sort((a, b) => a - b);
  const frames: Frame[] = [];
  let from = 0;
  for (const end of ends) {
    reader.push(bytes.subarray(from, end));
    from = end;
    for (let frame = reader.next(); frame; frame = reader.next()) frames.push(frame);
  }
  return frames;
}

test('however the bytes are cut, the frames are the same', () => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
  fc.assert(
    fc.property(bodies, fc.array(fc.nat(400), { maxLength: 30 }), (all, cuts) => {
      const messages = all.map((body) => message('Q', body));
      const found = framesOf(Buffer.concat([STARTUP, ...messages]), cuts);
      expect(found[0]).toEqual({ kind: 'startup' });
      expect(found.slice(1)).toEqual(messages.map((bytes) => ({ kind: 'message', type: 'Q', bytes })));
    }),
  );
});

test('a length that is none of Postgres’ is refused', () => {
  const reader = new FrameReader();
  reader.push(Buffer.concat([STARTUP, Buffer.from([81, 0x7f, 0xff, 0xff, 0xff])]));
  expect(reader.next()).toEqual({ kind: 'startup' });
  expect(() => reader.next()).toThrow('a message of 2147483647 bytes');
});

test('27 MB in pieces of 64 KiB cost what 27 MB cost', () => {
  const bytes = Buffer.concat([STARTUP, message('Q', Buffer.alloc(27 * 1024 * 1024))]);
  const cuts = Array.from({ length: 432 }, (_, i) => (i + 1) * 65_536);
  const began = process.cpuUsage();
  expect(framesOf(bytes, cuts)).toHaveLength(2);
  const { user, system } = process.cpuUsage(began);
  // Some 15 ms of processor time; 1.5 s and more when the chunks were joined at each look.
  expect((user + system) / 1_000).toBeLessThan(500);
});
