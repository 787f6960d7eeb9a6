import type { Random } from './random.ts';

/** A moment as Gladly prints it, and the same in milliseconds for comparing. */
export type Instant = { ms: number; text: string };

/**
 * Gives each recorded thing a time of its own, later than all before it, however many happen in one millisecond.
 * Gladly prints times with anything from no to nine fraction digits (gladly.md 1.1, 2.4), so this does too.
 */
export type Timeline = { next(random: Random): Instant };

/** How often each number of fraction digits appears. Invented: gladly.md 2.4 only says that it varies. */
const PRECISIONS = [3, 3, 3, 3, 3, 3, 3, 3, 9, 9, 9, 6, 6, 6, 2, 2, 1, 0] as const;

export function createTimeline(now: () => number): Timeline {
  let lastMs = 0;
  let lastNanos = 0;

  return {
    next: (random) => {
      // The same number of draws each time, so that what follows does not depend on the clock.
      const precision = random.pick(PRECISIONS);
      const nanos = random.int(0, 999_999);
      const step = random.int(1, 999);

      let [ms, rest] = truncate(Math.floor(now()), nanos, precision);
      let digits: number = precision;
      if (ms < lastMs || (ms === lastMs && rest <= lastNanos)) {
        const following = lastNanos + step;
        ms = lastMs + Math.floor(following / 1_000_000);
        rest = following % 1_000_000;
        digits = 9;
      }
      lastMs = ms;
      lastNanos = rest;
      return { ms, text: print(ms, rest, digits) };
    },
  };
}

function truncate(ms: number, nanos: number, precision: number): [ms: number, nanos: number] {
  if (precision > 6) return [ms, nanos];
  if (precision > 3) return [ms, nanos - (nanos % 1_000)];
  return [ms - (ms % 10 ** (3 - precision)), 0];
}

function print(ms: number, nanos: number, digits: number): string {
  const [seconds = '', fraction = ''] = new Date(ms).toISOString().slice(0, -1).split('.');
  const shown = `${fraction}${String(nanos).padStart(6, '0')}`.slice(0, digits);
  return shown === '' ? `${seconds}Z` : `${seconds}.${shown}Z`;
}

/** The same moment in the offset form which Gladly's examples occasionally show (gladly.md 2.4). */
export function inOffsetForm(text: string, offsetHours: number): string {
  const fraction = /\.\d+/.exec(text)?.[0] ?? '';
  const shifted = new Date(Date.parse(text) + offsetHours * 3_600_000).toISOString().slice(0, 19);
  const sign = offsetHours < 0 ? '-' : '+';
  return `${shifted}${fraction}${sign}${String(Math.abs(offsetHours)).padStart(2, '0')}:00`;
}
