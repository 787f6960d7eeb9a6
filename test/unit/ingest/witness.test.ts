import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { SEEN, type Sighting } from '../../../src/api/ingest/ports.ts';
import { createWitness } from '../../../src/api/ingest/witness.ts';
import { until } from '../../support/ingest/until.ts';

const silent = { info: () => undefined, warn: () => undefined };

function setUp(fails = 0) {
  const written: (readonly Sighting[])[] = [];
  let left = fails;
  const record = async (sightings: readonly Sighting[]): Promise<void> => {
    left -= 1;
    if (left >= 0) throw new Error('out');
    written.push(sightings);
  };
  return { written, witness: createWitness({ record }, silent, { flushMs: 60_000, retryMs: 5 }) };
}

describe('what was seen', () => {
  test('is written at once when it is new or a PING, and counted until the next writing otherwise', async () => {
    const { written, witness } = setUp();
    witness.saw('t', 'k', 'A/B', 1_000);
    await until(() => written.length === 1);
    witness.saw('t', 'k', 'A/B', 3_000);
    witness.saw('t', 'k', 'A/B', 2_000);
    await pause(20);
    expect(written).toHaveLength(1);
    witness.saw('t', 'k', SEEN.ping, 4_000);
    await until(() => written.length === 2);
    expect(written[1]).toEqual([
      { tenantId: 't', keyId: 'k', type: 'A/B', firstAt: new Date(2_000), lastAt: new Date(3_000), count: 2 },
      { tenantId: 't', keyId: 'k', type: 'PING', firstAt: new Date(4_000), lastAt: new Date(4_000), count: 1 },
    ]);
    witness.saw('t', 'k', SEEN.ping, 5_000);
    await until(() => written.length === 3);
    await witness.close();
  });

  test('is kept when it cannot be written, and added to what is seen since', async () => {
    const { written, witness } = setUp(2);
    witness.saw('t', 'k', 'A/B', 1_000);
    await pause(3);
    witness.saw('t', 'k', 'A/B', 2_000);
    await until(() => written.length === 1);
    expect(written[0]).toMatchObject([{ count: 2, firstAt: new Date(1_000), lastAt: new Date(2_000) }]);
    await witness.close();
  });

  test('a tenant that invents types fills no memory', async () => {
    const { written, witness } = setUp();
    for (let n = 0; n < 1_000; n += 1) witness.saw('t', 'k', `X/${n}`, 1_000);
    await witness.close();
    const types = written.flat().map(({ type }) => type);
    expect(types.length).toBeLessThan(110);
    expect(written.flat().find(({ type }) => type === SEEN.otherTypes)?.count).toBeGreaterThan(800);
  });

  test('a wrong key is written once a minute', async () => {
    const { written, witness } = setUp();
    for (let at = 0; at <= 120_000; at += 1_000) witness.sawWrongKey('t', 1_000_000 + at);
    await witness.close();
    expect(written.flat().reduce((sum, { count }) => sum + count, 0)).toBe(3);
    expect(written.flat()[0]).toMatchObject({ type: 'wrong_key', keyId: '' });
  });
});
