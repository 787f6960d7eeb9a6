import { describe, expect, test } from 'vitest';
import { Breaker, type BreakerState } from '../../../src/api/ingest/breaker.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function setUp() {
  const clock = new FakeClock();
  const seen: BreakerState[] = [];
  const breaker = new Breaker((state) => seen.push(state), { failures: 3, waitMs: 100, maxWaitMs: 300 }, clock);
  return { breaker, seen, clock };
}

const fail = (breaker: Breaker, times: number): void => {
  for (let n = 0; n < times; n += 1) breaker.failed();
};

describe('the breaker', () => {
  test('opens after so many failures in a row, and a success in between starts anew', () => {
    const { breaker } = setUp();
    fail(breaker, 2);
    breaker.succeeded();
    fail(breaker, 2);
    expect(breaker.mayTry()).toBe(true);
    breaker.failed();
    expect(breaker.mayTry()).toBe(false);
  });

  test('open, it allows one try when its time is over, whose result decides', async () => {
    const { breaker, seen, clock } = setUp();
    fail(breaker, 3);
    await clock.advance(100);
    expect([breaker.mayTry(), breaker.mayTry(), breaker.mayTry()]).toEqual([true, false, false]);
    breaker.succeeded();
    expect([breaker.mayTry(), breaker.mayTry()]).toEqual([true, true]);
    expect(seen).toEqual(['open', 'half_open', 'closed']);
  });

  test('waits longer after each try that failed, up to a bound', async () => {
    const { breaker, clock } = setUp();
    fail(breaker, 3);
    const waits: number[] = [];
    for (let n = 0; n < 4; n += 1) {
      let waited = 0;
      while (!breaker.mayTry()) {
        await clock.advance(10);
        waited += 10;
      }
      waits.push(waited);
      breaker.failed();
    }
    expect(waits).toEqual([100, 200, 300, 300]);
  });

  test('late failures of calls from before do not put the next try off', async () => {
    const { breaker, clock } = setUp();
    fail(breaker, 3);
    await clock.advance(99);
    fail(breaker, 50);
    await clock.advance(1);
    expect(breaker.mayTry()).toBe(true);
  });

  test('a try that did not reach SQS is followed by another one immediately', async () => {
    const { breaker, clock } = setUp();
    fail(breaker, 3);
    await clock.advance(100);
    expect(breaker.mayTry()).toBe(true);
    breaker.undecided();
    expect(breaker.mayTry()).toBe(true);
  });
});
