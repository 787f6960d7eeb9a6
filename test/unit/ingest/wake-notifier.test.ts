import { describe, expect, test } from 'vitest';
import { WakeNotifier } from '../../../src/api/ingest/wake-notifier.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** A waker whose calls are noted; the first `failing` of them reject. */
function setUp({ failing = 0 } = {}) {
  const clock = new FakeClock();
  const calls: { readonly at: number; readonly tenantIds: readonly string[] }[] = [];
  const logged: string[] = [];
  const log = {
    info: (_: object, message: string) => void logged.push(message),
    warn: (_: object, message: string) => void logged.push(message),
  };
  const wake = async (tenantIds: readonly string[]): Promise<void> => {
    calls.push({ at: clock.now(), tenantIds });
    if (calls.length <= failing) throw new Error('out');
  };
  return { clock, calls, logged, wakes: new WakeNotifier({ wake }, log, clock) };
}

describe('wakes', () => {
  test('the first goes at once, those of the next 50 ms together, each tenant once', async () => {
    const { clock, calls, wakes } = setUp();
    wakes.notify('a');
    expect(calls).toEqual([{ at: 0, tenantIds: ['a'] }]);
    await clock.advance(10);
    for (let n = 0; n < 100; n += 1) wakes.notify(n % 2 === 0 ? 'a' : 'b');
    await clock.advance(39);
    expect(calls).toHaveLength(1);
    await clock.advance(1);
    expect(calls.slice(1)).toEqual([{ at: 50, tenantIds: ['a', 'b'] }]);
  });

  test('after a quiet time the next one goes at once again', async () => {
    const { clock, calls, wakes } = setUp();
    wakes.notify('a');
    await clock.advance(50);
    expect(clock.timers).toBe(0);
    await clock.advance(20);
    wakes.notify('a');
    expect(calls.map(({ at }) => at)).toEqual([0, 70]);
  });

  test('an event during a call gets a call of its own, and never two at a time', async () => {
    const clock = new FakeClock();
    const calls: (readonly string[])[] = [];
    const first = Promise.withResolvers<void>();
    const wake = (tenantIds: readonly string[]): Promise<void> => {
      calls.push(tenantIds);
      return calls.length === 1 ? first.promise : Promise.resolve();
    };
    const silent = { info: () => undefined, warn: () => undefined };
    const wakes = new WakeNotifier({ wake }, silent, clock);
    wakes.notify('a');
    wakes.notify('a');
    await clock.advance(60_000);
    expect(calls).toEqual([['a']]);
    first.resolve();
    await clock.advance(50);
    expect(calls).toEqual([['a'], ['a']]);
  });

  test('a call that fails is made again, later each time up to 5 s, with the tenants that came since', async () => {
    const { clock, calls, logged, wakes } = setUp({ failing: 8 });
    wakes.notify('a');
    await clock.advance(1);
    wakes.notify('b');
    await clock.advance(60_000);
    expect(calls.at(-1)?.tenantIds.toSorted()).toEqual(['a', 'b']);
    const waits = calls.slice(1).map(({ at }, n) => at - (calls[n]?.at ?? 0));
    expect(waits).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
    // Once for the outage and once for its end.
    expect(logged).toEqual(['wakes: write failed, trying again', 'wakes: written again']);
    // As before the outage: at once, and then after the usual gap.
    wakes.notify('c');
    await clock.settle();
    wakes.notify('d');
    await clock.advance(50);
    expect(calls.slice(-2).map(({ tenantIds }) => tenantIds)).toEqual([['c'], ['d']]);
  });

  test('closing wakes those that are left, and sets no timer any more', async () => {
    const { clock, calls, wakes } = setUp();
    wakes.notify('a');
    await clock.settle();
    wakes.notify('b');
    await wakes.close();
    expect(calls.map(({ tenantIds }) => tenantIds)).toEqual([['a'], ['b']]);
    expect(clock.timers).toBe(0);
  });

  test('closing ends even if the last call fails', async () => {
    const { clock, calls, wakes } = setUp({ failing: 10 });
    wakes.notify('a');
    await wakes.close();
    expect(calls).toHaveLength(2);
    expect(clock.timers).toBe(0);
  });
});
