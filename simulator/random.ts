import { createHash } from 'node:crypto';

/** Random numbers that repeat: the same seed parts give the same numbers, on every machine. */
export type Random = {
  /** In [0, 1). */
  next(): number;
  /** A whole number from min to max, both included. */
  int(min: number, max: number): number;
  chance(probability: number): boolean;
  /** One of a list; throws on an empty one, which is a mistake in the caller. */
  pick<T>(list: readonly T[]): T;
  /** 22 characters of base64url, as Gladly's ids look (gladly.md 1.2). */
  id(): string;
};

/**
 * Each thing that happens takes a generator of its own, seeded with the organization's seed and the number of the
 * thing. So only a counter has to be kept to go on after a restart, and nothing that happens in between shifts it.
 */
export function createRandom(...seed: readonly (string | number)[]): Random {
  const digest = createHash('sha256').update(seed.join('\u0000')).digest();
  const state = Uint32Array.from([0, 4, 8, 12].map((offset) => digest.readUInt32LE(offset)));

  /** sfc32, a small generator by Chris Doty-Humphrey that passes PractRand. */
  function uint32(): number {
    const [a = 0, b = 0, c = 0, counter = 0] = state;
    const sum = (a + b + counter) >>> 0;
    state[3] = counter + 1;
    state[0] = b ^ (b >>> 9);
    state[1] = c + (c << 3);
    state[2] = ((c << 21) | (c >>> 11)) + sum;
    return sum;
  }

  for (let warmUp = 0; warmUp < 12; warmUp += 1) uint32();

  const next = (): number => uint32() / 2 ** 32;
  return {
    next,
    int: (min, max) => min + Math.floor(next() * (max - min + 1)),
    chance: (probability) => next() < probability,
    pick: (list) => {
      const chosen = list[Math.floor(next() * list.length)];
      if (chosen === undefined) throw new RangeError('cannot pick from an empty list');
      return chosen;
    },
    id: () => {
      const bytes = Buffer.alloc(16);
      for (let offset = 0; offset < 16; offset += 4) bytes.writeUInt32LE(uint32(), offset);
      return bytes.toString('base64url');
    },
  };
}
