import { describe, expect, test } from 'vitest';
import { networkOf, RateLimit } from '../../../src/api/http/rate-limit.ts';
import { FakeClock } from '../../support/fake-clock.ts';

describe('a rate limit', () => {
  test('so many at once, then so many a second', async () => {
    const clock = new FakeClock();
    const wrong = new RateLimit({ burst: 3, perSecond: 2, ids: 10 }, clock);
    const allowed = (): boolean[] => Array.from({ length: 5 }, () => wrong.allows('192.0.2.1'));
    expect(allowed()).toEqual([true, true, true, false, false]);
    await clock.advance(1_000);
    expect(allowed()).toEqual([true, true, false, false, false]);
    await clock.advance(3_600_000);
    expect(allowed()).toEqual([true, true, true, false, false]);
  });

  test('one address does not use up another one, but all of one IPv6 network are one', () => {
    const wrong = new RateLimit({ burst: 1, perSecond: 0, ids: 10 });
    const allows = (address: string): boolean => wrong.allows(networkOf(address));
    expect(allows('192.0.2.1')).toBe(true);
    expect(allows('192.0.2.2')).toBe(true);
    expect(allows('::ffff:192.0.2.1')).toBe(false);
    expect(allows('2001:db8::1')).toBe(true);
    expect(allows('2001:db8::2')).toBe(false);
    expect(allows('2001:db8:0:1::1')).toBe(true);
  });

  test('remembers a bounded number of addresses', () => {
    const wrong = new RateLimit({ burst: 1, perSecond: 0, ids: 100 });
    for (let n = 0; n < 10_000; n += 1) wrong.allows(`10.0.${n >> 8}.${n & 255}`);
    expect(wrong.allows('10.0.39.15')).toBe(false);
    expect(wrong.allows('10.0.0.0')).toBe(true);
  });
});
