import { describe, expect, it } from 'vitest';
import { tooManyOf } from '../../../src/activities/drain/keeper.ts';

/** Small and certain: the same numbers in each run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

/** Workers look one after the other; what one hands over is taken by any of them. Returns how many were passed on. */
function lookAll(workers: number[], next: () => number): number {
  let moved = 0;
  for (const at of workers.keys()) {
    const count = tooManyOf(workers[at] ?? 0, workers);
    moved += count;
    for (let n = 0; n < count; n += 1) {
      const to = Math.floor(next() * workers.length);
      workers[at] = (workers[at] ?? 0) - 1;
      workers[to] = (workers[to] ?? 0) + 1;
    }
  }
  return moved;
}

describe('a worker’s share', () => {
  it('is all of them when it is alone, and nothing is passed around over one drain', () => {
    expect(tooManyOf(500, [500])).toBe(0);
    expect(tooManyOf(1, [1, 0, 0])).toBe(0);
    expect(tooManyOf(21, [21, 20, 19])).toBe(0);
    expect(tooManyOf(0, [0, 50])).toBe(0);
  });

  it('is reached within a minute of looks after two workers have joined, and then nothing moves', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      for (const tenants of [6, 60, 1_000]) {
        const workers = [tenants, 0, 0];
        const next = random(seed);
        // A look every 5 s; the first ones find workers that have not noted themselves yet.
        for (let look = 0; look < 10; look += 1) lookAll(workers, next);
        const [most, least] = [Math.max(...workers), Math.min(...workers)];
        expect(workers.reduce((sum, one) => sum + one, 0)).toBe(tenants);
        expect(most - least <= 4 || most / least <= 1.3, `${seed}: ${workers.join(' ')}`).toBe(true);
        for (let look = 0; look < 50; look += 1) lookAll(workers, next);
        expect(lookAll(workers, next), `${seed}: ${workers.join(' ')}`).toBe(0);
      }
    }
  });
});
