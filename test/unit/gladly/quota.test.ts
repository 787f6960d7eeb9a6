import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  createGovernor,
  createGovernors,
  type Governor,
  type GovernorOptions,
  quotaAnswer,
  slower,
} from '../../../src/gladly/quota.ts';
import { simulatedClock } from '../../support/gladly/time.ts';

/** A governor in simulated time without jitter, and the times at which it let requests go. */
function newGovernor(options: GovernorOptions = {}, lateMs: () => number = () => 0) {
  const clock = simulatedClock(lateMs);
  const governor = createGovernor({ clock, random: () => 0, ...options });
  const sent: number[] = [];
  const order: string[] = [];
  /** Asks for `n` permits at once; each is given back when it comes, as answered. */
  const ask = (
    n: number,
    answer?: Parameters<Awaited<ReturnType<Governor['acquire']>>['report']>[0],
    name = '',
  ): void => {
    for (let i = 0; i < n; i++) {
      void governor.acquire('GET').then((permit) => {
        sent.push(clock.now());
        order.push(`${name}${i}`);
        permit.report(answer);
      });
    }
  };
  return { clock, governor, sent, order, ask };
}

const gaps = (times: number[]): number[] => times.slice(1).map((at, i) => Math.round(at - (times[i] ?? 0)));
const mostInASecond = (times: number[]): number =>
  Math.max(...times.map((at) => times.filter((it) => it >= at && it < at + 1_000).length));

describe('the pace', () => {
  it('is 70 % of 10 a second until an answer says otherwise, at even distances', async () => {
    const { clock, sent, ask } = newGovernor();
    ask(30);
    await clock.runUntil(2_000);
    expect(sent).toHaveLength(15);
    // The first gap is what a caller may be late, a quarter, shorter.
    expect(gaps(sent)[0]).toBe(108);
    for (const gap of gaps(sent).slice(1)) expect(Math.abs(gap - 1_000 / 7)).toBeLessThanOrEqual(1);
  });

  it('keeps its average although every timer is late, and makes no burst of it', async () => {
    let n = 0;
    const { clock, sent, ask } = newGovernor({}, () => (n++ * 37) % 90);
    ask(1_000);
    await clock.runUntil(100_000);
    expect(sent.length).toBeGreaterThanOrEqual(700 * 0.97);
    expect(mostInASecond(sent)).toBeLessThanOrEqual(8);
  });

  it('forgets what a long stop of the process missed', async () => {
    let stop = 0;
    const { clock, sent, ask } = newGovernor({}, () => stop);
    ask(100);
    await clock.runUntil(500);
    stop = 5_000;
    await clock.runUntil(600);
    stop = 0;
    await clock.runUntil(10_000);
    expect(mostInASecond(sent)).toBeLessThanOrEqual(9);
  });

  it('earns no burst while idle', async () => {
    const { clock, sent, ask } = newGovernor();
    await clock.runUntil(60_000);
    ask(10);
    await clock.runUntil(61_000);
    expect(sent[0]).toBe(60_000);
    expect(mostInASecond(sent)).toBeLessThanOrEqual(8);
  });

  it('follows the limit that the answers state', async () => {
    const { clock, sent, ask } = newGovernor();
    ask(1, { status: 200, limit: 20, remaining: 19 });
    await clock.runUntil(5_000);
    ask(100);
    await clock.runUntil(9_000);
    expect((sent.length - 1) / 4).toBeCloseTo(14, 0);
  });

  it('is first come, first served', async () => {
    const { clock, order, ask } = newGovernor();
    ask(2, undefined, 'a');
    ask(2, undefined, 'b');
    await clock.runUntil(2_000);
    expect(order).toEqual(['a0', 'a1', 'b0', 'b1']);
  });

  it('is kept for each method, as Gladly counts', async () => {
    const { clock, governor, sent, ask } = newGovernor();
    ask(5);
    let posted = -1;
    void governor.acquire('POST').then((permit) => {
      posted = clock.now();
      permit.report();
    });
    await clock.runUntil(300);
    expect(posted).toBe(0);
    expect(sent).toHaveLength(3);
  });
});

describe('a caller who gives up', () => {
  it('gets the own reason, and the turn goes to the next', async () => {
    const { clock, governor, sent, ask } = newGovernor();
    ask(1);
    const controller = new AbortController();
    const given = governor.acquire('GET', controller.signal);
    ask(1);
    await clock.runUntil(50);
    const reason = new Error('paused');
    controller.abort(reason);
    await expect(given).rejects.toBe(reason);
    await expect(governor.acquire('GET', controller.signal)).rejects.toBe(reason);
    await clock.runUntil(1_000);
    expect(gaps(sent)).toEqual([108]);
    expect(governor.snapshot()).toMatchObject({ waiting: 0, inFlight: 0 });
  });

  it('leaves no timer running when nobody waits any more', async () => {
    const { clock, governor } = newGovernor();
    (await governor.acquire('GET')).report({ status: 429, retryAfterMs: 3_600_000 });
    const controller = new AbortController();
    const given = governor.acquire('GET', controller.signal);
    expect(clock.pending()).toBe(1);
    controller.abort();
    await expect(given).rejects.toThrow();
    expect(clock.pending()).toBe(0);
  });

  it('leaves nothing behind at the signal', async () => {
    const { governor } = newGovernor({ unlimited: true });
    const { signal } = new AbortController();
    for (let i = 0; i < 20; i++) (await governor.acquire('GET', signal)).report();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('a 429', () => {
  it('holds back as long as Retry-After says, and no other method', async () => {
    const { clock, governor, sent, ask } = newGovernor();
    ask(1, { status: 429, limit: 10, remaining: 0, retryAfterMs: 7_000 });
    await clock.runUntil(1);
    expect(governor.snapshot('GET')).toMatchObject({ remaining: 0, heldMs: expect.closeTo(7_000, -1) });
    expect(governor.snapshot('POST').heldMs).toBe(0);
    ask(1);
    await clock.runUntil(6_990);
    expect(sent).toHaveLength(1);
    await clock.runUntil(8_500);
    expect(sent).toHaveLength(2);
  });

  it('without Retry-After waits twice as long each time, a minute at most, and starts anew after a success', async () => {
    const { clock, sent, ask } = newGovernor();
    for (let i = 0; i < 9; i++) ask(1, { status: 429 });
    await clock.runUntil(500_000);
    const waits = gaps(sent).map((it) => Math.round(it / 1_000));
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    ask(1, { status: 200, limit: 10, remaining: 9 });
    await clock.runUntil(600_000);
    ask(1, { status: 429 });
    ask(1);
    await clock.runUntil(700_000);
    expect(Math.round((gaps(sent).at(-1) ?? 0) / 1_000)).toBe(1);
  });

  it('counts once when several requests of one moment meet it', async () => {
    const { clock, governor } = newGovernor({ unlimited: true });
    const permits = await Promise.all([1, 2, 3, 4].map(() => governor.acquire('GET')));
    await clock.runUntil(10);
    for (const permit of permits) permit.report({ status: 429 });
    expect(governor.snapshot().heldMs).toBe(1_000);
  });

  it('adds up to a quarter of jitter, and never shortens the wait', async () => {
    const { clock, governor } = newGovernor({ random: () => 0.999 });
    (await governor.acquire('GET')).report({ status: 429, retryAfterMs: 4_000 });
    expect(governor.snapshot().heldMs).toBeCloseTo(4_999, -1);
    expect(clock.now()).toBe(0);
  });

  it('halves the pace, which then comes back by a tenth of the limit each second, and fully once the rival is forgotten', async () => {
    const { clock, governor } = newGovernor();
    (await governor.acquire('GET')).report({ status: 429, limit: 10, remaining: 0 });
    expect(governor.snapshot().allowed).toBeCloseTo(3);
    await clock.runUntil(1_000);
    expect(governor.snapshot().allowed).toBeCloseTo(3);
    await clock.runUntil(3_000);
    expect(governor.snapshot().allowed).toBeCloseTo(5);
    await clock.runUntil(9_000);
    expect(governor.snapshot().allowed).toBe(6);
    await clock.runUntil(23_000);
    expect(governor.snapshot().allowed).toBe(7);
  });
});

describe('a lifted quota', () => {
  it.each([
    ['by configuration', { unlimited: true }, undefined],
    ['by a very large limit', {}, { status: 200, limit: 100_000, remaining: 99_999 }],
  ])('%s is bounded by what is in flight alone', async (_, options, answer) => {
    const { clock, governor } = newGovernor({ maxInFlight: 5, ...options });
    if (answer) (await governor.acquire('GET')).report(answer);
    const granted: { report(): void }[] = [];
    for (let i = 0; i < 20; i++) void governor.acquire('GET').then((permit) => granted.push(permit));
    await clock.runUntil(1);
    expect(granted).toHaveLength(5);
    expect(governor.snapshot()).toMatchObject({ allowed: null, inFlight: 5, waiting: 15 });
    granted[0]?.report();
    granted[0]?.report(); // twice is once
    await clock.runUntil(2);
    expect(granted).toHaveLength(6);
  });
});

describe('a slower way through the same gate', () => {
  it('sends 2 a second of all methods together, and counts for the others', async () => {
    const { clock, governor } = newGovernor();
    const slow = slower(governor, 2, { clock, random: () => 0 });
    const sent: number[] = [];
    for (const method of ['GET', 'POST', 'GET', 'PATCH', 'GET'] as const) {
      void slow.acquire(method).then((permit) => {
        sent.push(clock.now());
        permit.report({ status: 200, limit: 10, remaining: 8 });
      });
    }
    await clock.runUntil(5_000);
    expect(gaps(sent)).toEqual([450, 500, 500, 500]);
    expect(governor.snapshot('GET').remaining).toBe(8);
    expect(slow.snapshot('GET')).toEqual(governor.snapshot('GET'));
  });

  it('gives its turn back when the caller gives up at the shared gate', async () => {
    const { clock, governor } = newGovernor();
    const slow = slower(governor, 2, { clock, random: () => 0, maxInFlight: 1 });
    (await governor.acquire('GET')).report({ status: 429, retryAfterMs: 60_000 });
    const controller = new AbortController();
    const given = slow.acquire('GET', controller.signal);
    await clock.runUntil(10);
    controller.abort(new Error('cancelled'));
    await expect(given).rejects.toThrow('cancelled');
    const next = slow.acquire('POST');
    await clock.runUntil(1_000);
    (await next).report();
  });
});

describe('the governors', () => {
  it('give one to each organization', () => {
    const governorOf = createGovernors();
    expect(governorOf('acme.gladly.com')).toBe(governorOf('acme.gladly.com'));
    expect(governorOf('acme.gladly.com')).not.toBe(governorOf('other.gladly.com'));
  });
});

describe("the quota's headers", () => {
  it('are read, and nonsense is left out', () => {
    const headers = { 'ratelimit-limit-second': '10', 'ratelimit-remaining-second': '3', 'retry-after': '2' };
    expect(quotaAnswer(429, headers)).toEqual({ status: 429, limit: 10, remaining: 3, retryAfterMs: 2_000 });
    const nonsense = { 'ratelimit-limit-second': '-1', 'ratelimit-remaining-second': 'many', 'retry-after': 'later' };
    expect(quotaAnswer(200, nonsense)).toEqual({ status: 200 });
    expect(quotaAnswer(200, {})).toEqual({ status: 200 });
  });

  it('may name a date to come back, which is never in the past and never more than an hour off', () => {
    // By the clock of who wrote it: ours may be another.
    const date = 'Thu, 01 Jan 2026 00:00:00 GMT';
    const waitOf = (value: string): number | undefined => quotaAnswer(429, { 'retry-after': value, date }).retryAfterMs;
    expect(waitOf('Thu, 01 Jan 2026 00:00:09 GMT')).toBe(9_000);
    expect(waitOf('Wed, 31 Dec 2025 00:00:00 GMT')).toBe(0);
    expect(waitOf('999999')).toBe(3_600_000);
  });

  it.each([
    ['1.5', 1_500],
    ['0.5', 500],
    ['2.0', 2_000],
    ['30.0', 30_000],
    ['+5', 5_000],
    ['5, 5', 5_000],
    [' 7 ', 7_000],
    ['0', 0],
    ['-1', undefined],
    ['1e3', undefined],
    ['soon', undefined],
    ['', undefined],
    ['5 January', undefined],
  ])('may say %j', (value, expected) => {
    expect(quotaAnswer(429, { 'retry-after': value }).retryAfterMs).toBe(expected);
  });
});
