import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createClock } from '../../../simulator/clock.ts';
import { createSchedule } from '../../../simulator/delivery/schedule.ts';
import { tidy } from '../../../simulator/housekeeping.ts';
import { createRandom } from '../../../simulator/random.ts';
import { matchRoute } from '../../../simulator/rest/router.ts';
import { inTransaction, openDatabase } from '../../../simulator/store/database.ts';
import { createStores } from '../../../simulator/store/stores.ts';
import { createTimeline, inOffsetForm } from '../../../simulator/timestamps.ts';

test('the schedule gives entries by time, and by number at the same time', () => {
  const entries = fc.array(fc.record({ number: fc.nat(50), nextMs: fc.nat(20) }));
  fc.assert(
    fc.property(entries, (given) => {
      const schedule = createSchedule();
      for (const entry of given) schedule.push(entry);
      const taken = [];
      for (let entry = schedule.pop(); entry !== undefined; entry = schedule.pop()) taken.push(entry);
      expect(taken).toEqual([...given].sort((a, b) => a.nextMs - b.nextMs || a.number - b.number));
    }),
  );
});

describe('the timeline', () => {
  test('gives times that only grow, also when the clock stands still or goes back', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1e12, max: 1e12 + 3000 })), fc.string(), (clock, seed) => {
        let now = 0;
        const timeline = createTimeline(() => now);
        const random = createRandom(seed);
        const times = clock.map((reading) => {
          now = reading;
          return timeline.next(random);
        });
        const comparable = times.map(({ text }) => {
          const [seconds = '', fraction = ''] = text.slice(0, -1).split('.');
          return `${seconds}.${fraction.padEnd(9, '0')}`;
        });
        expect(comparable).toEqual([...new Set(comparable)].sort());
        for (const { ms, text } of times) expect(Date.parse(text)).toBe(ms);
      }),
    );
  });

  test('prints no fraction, or up to nine digits of it', () => {
    let now = 1_700_000_000_000;
    const timeline = createTimeline(() => {
      now += 5000;
      return now;
    });
    const random = createRandom('digits');
    const digits = Array.from({ length: 300 }, () => /\.(\d+)Z$/.exec(timeline.next(random).text)?.[1]?.length ?? 0);
    expect([...new Set(digits)].sort()).toEqual([0, 1, 2, 3, 6, 9]);
  });

  test('the offset form is the same moment', () => {
    const shown = inOffsetForm('2026-01-01T03:04:05.012345678Z', -7);
    expect(shown).toBe('2025-12-31T20:04:05.012345678-07:00');
    expect(Date.parse(shown)).toBe(Date.parse('2026-01-01T03:04:05.012Z'));
  });
});

test('the clock scales waits, and never goes back when its factor changes', () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 });
  onTestFinished(() => void vi.useRealTimers());
  const clock = createClock({ simulatedAt: Date.now(), realAt: Date.now(), factor: 60 });
  const inAnHour = clock.now() + 3_600_000;
  expect(clock.realMsUntil(inAnHour)).toBe(60_000);
  vi.setSystemTime(1_010_000);
  expect(clock.realMsUntil(inAnHour)).toBe(50_000);
  const before = clock.now();
  clock.setFactor(1);
  expect(clock.now()).toBe(before);
  // A clock that was set back, as machines do.
  vi.setSystemTime(1_000_000);
  expect(clock.now()).toBe(before);
  expect(clock.realMsUntil(clock.now() - 1)).toBe(0);
});

test('random numbers repeat with their seed, and differ with every part of it', () => {
  const draw = (...seed: (string | number)[]) => {
    const random = createRandom(...seed);
    return [random.id(), random.int(0, 1e9), random.next(), random.pick(['a', 'b', 'c'])];
  };
  expect(draw('a', 1)).toEqual(draw('a', 1));
  expect(draw('a', 1)).not.toEqual(draw('a', 2));
  expect(draw('a1')).not.toEqual(draw('a', 1));
  expect(createRandom('x').id()).toMatch(/^[\w-]{22}$/);
  expect(() => createRandom('x').pick([])).toThrow(RangeError);
});

test('routes match whole segments, decode them, and refuse broken encoding', () => {
  const routes = [
    { method: 'GET', path: '/a/:id' },
    { method: 'GET', path: '/a/:id/b' },
  ];
  expect(matchRoute(routes, 'GET', '/a/x%20y')?.params).toEqual({ id: 'x y' });
  expect(matchRoute(routes, 'GET', '/a/x/b')?.route).toBe(routes[1]);
  for (const path of ['/a', '/a/', '/a/x/c', '/a/%E0%A4%A', '/a/x/']) {
    expect(matchRoute(routes, 'GET', path)).toBeUndefined();
  }
  expect(matchRoute(routes, 'POST', '/a/x')).toBeUndefined();
});

describe('housekeeping', () => {
  const DAY_MS = 86_400_000;

  test('forgets events after 24 hours, but none that still has to be delivered', () => {
    const stores = createStores(openDatabase(null));
    const clock = createClock({ simulatedAt: 10 * DAY_MS, realAt: Date.now(), factor: 1 });
    const now = clock.now();
    for (const [id, atMs] of [
      ['old', now - DAY_MS - 1000],
      ['due', now - DAY_MS - 999],
      ['new', now - DAY_MS + 60_000],
    ] as const) {
      stores.events.add({ id, type: 'CONVERSATION/CREATED', timestamp: '', content: {} }, atMs);
    }
    stores.deliveries.add('due', 'CONVERSATION/CREATED', 'w', 'pending', now, []);
    tidy(stores, clock, 100);
    expect(stores.events.list(0, 10).map(({ id }) => id)).toEqual(['due', 'new']);
  });

  test('keeps the newest settled deliveries, and all that are pending', () => {
    const stores = createStores(openDatabase(null));
    const clock = createClock({ simulatedAt: 0, realAt: Date.now(), factor: 1 });
    inTransaction(stores.database, () => {
      for (let number = 1; number <= 50; number += 1) {
        stores.deliveries.add(`e${number}`, 'T', 'w', number % 10 === 0 ? 'pending' : 'delivered', 0, []);
      }
    });
    tidy(stores, clock, 5);
    const kept = stores.deliveries.list({ after: 0, limit: 100 }).map(({ number }) => number);
    expect(kept).toEqual([10, 20, 30, 40, 46, 47, 48, 49, 50]);
  });
});
