import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createBells } from '../../../src/api/ingest/bells.ts';
import { until } from '../../support/ingest/until.ts';

const silent = { info: () => undefined, warn: () => undefined };

describe('rings', () => {
  test('the first goes at once, those that follow together', async () => {
    const rung: (readonly string[])[] = [];
    const bells = createBells({ ring: async (ids) => void rung.push(ids) }, silent, { gapMs: 30 });
    bells.ring('a');
    expect(rung).toEqual([['a']]);
    for (let n = 0; n < 100; n += 1) bells.ring(n % 2 === 0 ? 'a' : 'b');
    await pause(80);
    expect(rung).toEqual([['a'], ['a', 'b']]);
    await bells.close();
  });

  test('an event during a ring gets a ring of its own', async () => {
    const rung: (readonly string[])[] = [];
    const first = Promise.withResolvers<void>();
    const ring = (ids: readonly string[]): Promise<void> => {
      rung.push(ids);
      return rung.length === 1 ? first.promise : Promise.resolve();
    };
    const bells = createBells({ ring }, silent, { gapMs: 1 });
    bells.ring('a');
    bells.ring('a');
    first.resolve();
    await until(() => rung.length === 2);
    await bells.close();
  });

  test('one that fails is rung again, with those that came since, until it works', async () => {
    const rung: (readonly string[])[] = [];
    const ring = async (ids: readonly string[]): Promise<void> => {
      rung.push(ids);
      if (rung.length < 4) throw new Error('out');
    };
    const bells = createBells({ ring }, silent, { gapMs: 1, maxWaitMs: 5 });
    bells.ring('a');
    await pause(1);
    bells.ring('b');
    await until(() => rung.length === 4);
    expect(rung.at(-1)).toEqual(expect.arrayContaining(['a', 'b']));
    await pause(30);
    expect(rung).toHaveLength(4);
    await bells.close();
  });

  test('closing rings what was not rung yet', async () => {
    const rung: string[] = [];
    const bells = createBells({ ring: async (ids) => void rung.push(...ids) }, silent, { gapMs: 60_000 });
    bells.ring('a');
    await pause(1);
    bells.ring('b');
    await bells.close();
    expect(rung).toEqual(['a', 'b']);
  });
});
