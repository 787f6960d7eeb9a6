import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fairPart, nextClaim, sentWithinASecond } from '../../../src/gladly/division.ts';

const perSecond = fc.double({ min: 0, max: 100, noNaN: true });
const workers = fc.array(perSecond, { minLength: 1, maxLength: 12 });
const without = (all: readonly number[], i: number): number[] => all.filter((_, at) => at !== i);
const sum = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0);

it('all of it is used when all of it is wanted, and never more', () => {
  fc.assert(
    fc.property(perSecond, workers, (total, wants) => {
      const parts = wants.map((it, i) => fairPart(total, it, without(wants, i)));
      expect(sum(parts)).toBeCloseTo(Math.min(total, sum(wants)), 6);
    }),
  );
});

it('nobody gets more than it wants, nor less than an even part that it wants', () => {
  fc.assert(
    fc.property(perSecond, workers, (total, wants) => {
      wants.forEach((it, i) => {
        const part = fairPart(total, it, without(wants, i));
        expect(part).toBeLessThanOrEqual(it);
        expect(part).toBeGreaterThanOrEqual(Math.min(it, total / wants.length) - 1e-9);
      });
    }),
  );
});

it('whoever looks when, the claims together stay within what is allowed, and end at the fair parts', () => {
  const looks = fc.array(fc.nat({ max: 11 }), { maxLength: 60 });
  fc.assert(
    fc.property(workers, looks, (wants, order) => {
      const total = 7;
      const claims = wants.map(() => 0);
      const look = (i: number): void => {
        const others = wants.map((it, at) => ({ wants: it, claims: claims[at] ?? 0, peak: 0 }));
        claims[i] = nextClaim(
          total,
          wants[i] ?? 0,
          0,
          others.filter((_, at) => at !== i),
        );
      };
      for (const it of order) {
        look(it % wants.length);
        expect(sum(claims)).toBeLessThanOrEqual(total + 1e-6);
      }
      for (let n = 0; n < 2 * wants.length; n++) look(n % wants.length);
      claims.forEach((it, i) => {
        if (wants.length > 1) expect(it).toBeCloseTo(fairPart(total, wants[i] ?? 0, without(wants, i)), 6);
      });
    }),
  );
});

it('the only one claims all', () => {
  expect(nextClaim(7, 0.1, 1, [])).toBe(7);
});

it('who keeps to a claim sends little more than it in a second, who began as much as it says', () => {
  expect(sentWithinASecond([{ wants: 7, claims: 2.33, peak: 3 }])).toBeCloseTo(2.83);
  expect(sentWithinASecond([{ wants: 7, claims: 1, peak: 3 }])).toBe(3);
  expect(sentWithinASecond([{ wants: 7, claims: 7, peak: 0 }])).toBe(0);
});
