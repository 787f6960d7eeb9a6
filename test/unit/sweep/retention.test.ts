import { describe, expect, test } from 'vitest';
import { DAY_MS, judge, type Risk } from '../../../src/activities/sweep/retention.ts';

const NOW = new Date('2026-03-01T00:00:00Z');
const waiting = (days: number, risk: Partial<Risk> = {}): Risk => ({
  waitsSince: new Date(NOW.getTime() - days * DAY_MS),
  retentionDays: 4,
  policy: 'alert',
  paused: true,
  ...risk,
});

describe('events that wait', () => {
  test.each([
    { days: 1.99, level: 0 },
    { days: 2, level: 50 },
    { days: 3.19, level: 50 },
    { days: 3.2, level: 80 },
    { days: 3.8, level: 95 },
    { days: 6, level: 95 },
  ])('for $days of 4 days: level $level', ({ days, level }) => {
    expect(judge(waiting(days), NOW)).toMatchObject({ level, extendTo: null, archive: false });
  });

  test('the first loss is when the oldest may have waited for the whole retention', () => {
    expect(judge(waiting(3), NOW).firstLossAt).toEqual(new Date(NOW.getTime() + DAY_MS));
  });

  test.each(['extend', 'archive'] as const)('%s raises the queue to 14 days at half of the retention', (policy) => {
    expect(judge(waiting(1.9, { policy }), NOW)).toMatchObject({ extendTo: null, level: 0 });
    expect(judge(waiting(2, { policy }), NOW)).toMatchObject({ extendTo: 14, level: 0, percent: 14 });
    expect(judge(waiting(7, { policy, retentionDays: 14 }), NOW)).toMatchObject({ extendTo: null, level: 50 });
  });

  test('archive takes them in from 80 % on, while paused', () => {
    const late = { policy: 'archive', retentionDays: 14 } as const;
    expect(judge(waiting(11, late), NOW).archive).toBe(false);
    expect(judge(waiting(11.2, late), NOW).archive).toBe(true);
    expect(judge(waiting(11.2, { ...late, paused: false }), NOW).archive).toBe(false);
    expect(judge(waiting(11.2, { ...late, policy: 'extend' }), NOW).archive).toBe(false);
  });
});
