import { describe, expect, test } from 'vitest';
import { type ActiveMinute, silentSince } from '../../../src/tenants/silence.ts';

const HOUR = 3_600_000;
const start = Date.UTC(2026, 0, 5);

/** Something every five minutes in these hours of each day. */
function habit(days: number, from: number, to: number, weekdaysOnly = false): ActiveMinute[] {
  const minutes: ActiveMinute[] = [];
  for (let time = start; time < start + days * 24 * HOUR; time += 5 * 60_000) {
    const at = new Date(time);
    const isWeekend = at.getUTCDay() % 6 === 0;
    if (at.getUTCHours() < from || at.getUTCHours() >= to || (weekdaysOnly && isWeekend)) continue;
    minutes.push({ minute: at, accepted: 3 });
  }
  return minutes;
}

const hoursAfter = (minutes: readonly ActiveMinute[], hours: number): Date =>
  new Date((minutes.at(-1)?.minute.getTime() ?? 0) + hours * HOUR);

describe('a tenant that has gone silent', () => {
  test.each([
    ['sends day and night', habit(14, 0, 24), 0.9, 1.1],
    ['sleeps at night', habit(14, 8, 20), 23, 25],
    ['rests at the weekend', habit(14, 8, 18, true), 120, 130],
    ['is new', habit(2, 0, 24), 71, 73],
  ])('one that %s', (_, minutes, usual, unusual) => {
    expect(silentSince(minutes, hoursAfter(minutes, usual))).toBeNull();
    expect(silentSince(minutes, hoursAfter(minutes, unusual))).toEqual(minutes.at(-1)?.minute);
  });

  test('one that hardly ever sends has no habit to break', () => {
    expect(silentSince([], new Date())).toBeNull();
    expect(silentSince(habit(1, 0, 1), new Date(start + 900 * HOUR))).toBeNull();
  });
});
