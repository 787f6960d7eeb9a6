import { describe, expect, test } from 'vitest';
import { DeliveryRecorder } from '../../../src/api/ingest/delivery-recorder.ts';
import { type DeliveryStat, STAT_TYPE } from '../../../src/api/ingest/ports.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const silent = { info: () => undefined, warn: () => undefined };

/** Stats whose first `failing` records reject. */
function setUp({ failing = 0 } = {}) {
  const clock = new FakeClock();
  const written: (readonly DeliveryStat[])[] = [];
  let calls = 0;
  const record = async (stats: readonly DeliveryStat[]): Promise<void> => {
    calls += 1;
    if (calls <= failing) throw new Error('out');
    written.push(stats);
  };
  return { clock, written, recorder: new DeliveryRecorder({ record }, silent, clock) };
}

const sum = (written: readonly (readonly DeliveryStat[])[]): number =>
  written.flat().reduce((total, { count }) => total + count, 0);

describe('delivery stats', () => {
  test('a new type and a PING are written at once, the rest is counted for a second', async () => {
    const { clock, written, recorder } = setUp();
    recorder.record('t', 'k', 'A/B', 1_000);
    expect(written).toHaveLength(1);
    await clock.advance(100);
    recorder.record('t', 'k', 'A/B', 3_000);
    recorder.record('t', 'k', 'A/B', 2_000);
    await clock.advance(999);
    expect(written).toHaveLength(1);
    recorder.record('t', 'k', STAT_TYPE.ping, 4_000);
    expect(written[1]).toEqual([
      { tenantId: 't', keyId: 'k', type: 'A/B', firstAt: 2_000, lastAt: 3_000, count: 2 },
      { tenantId: 't', keyId: 'k', type: 'PING', firstAt: 4_000, lastAt: 4_000, count: 1 },
    ]);
    await clock.advance(100);
    recorder.record('t', 'k', STAT_TYPE.ping, 5_000);
    expect(written).toHaveLength(3);
    await clock.advance(100);
    recorder.record('t', 'k', 'A/B', 6_000);
    await clock.advance(1_000);
    expect(written).toHaveLength(4);
  });

  test('a PING right after a write waits 50 ms, not a second', async () => {
    const { clock, written, recorder } = setUp();
    recorder.record('t', 'k', 'A/B', 1_000);
    recorder.record('t', 'k', STAT_TYPE.ping, 1_001);
    await clock.advance(50);
    expect(written.flat().map(({ type }) => type)).toEqual(['A/B', 'PING']);
  });

  test('keys and tenants are counted apart', async () => {
    const { clock, written, recorder } = setUp();
    for (const [tenantId, keyId] of ['t k', 't l', 'u k', 't k'].map((both) => both.split(' '))) {
      recorder.record(tenantId ?? '', keyId ?? '', 'A/B', 1_000);
    }
    await clock.advance(2_000);
    expect(written.flat().map(({ tenantId, keyId, count }) => [tenantId, keyId, count])).toEqual([
      ['t', 'k', 1],
      ['t', 'l', 1],
      ['u', 'k', 1],
      ['t', 'k', 1],
    ]);
  });

  test('what could not be written is added to what came since', async () => {
    const { clock, written, recorder } = setUp({ failing: 2 });
    recorder.record('t', 'k', 'A/B', 2_000);
    await clock.advance(10);
    recorder.record('t', 'k', 'A/B', 1_000);
    await clock.advance(10_000);
    expect(written).toEqual([[expect.objectContaining({ count: 2, firstAt: 1_000, lastAt: 2_000 })]]);
  });

  test('types beyond the hundredth of a tenant are counted as one', async () => {
    const { written, recorder } = setUp();
    for (let n = 0; n < 1_000; n += 1) recorder.record('t', 'k', `X/${n}`, 1_000);
    recorder.record('t', 'k', 'X/0', 1_000);
    await recorder.close();
    const types = new Set(written.flat().map(({ type }) => type));
    expect(types.size).toBe(101);
    expect(written.flat().find(({ type }) => type === STAT_TYPE.otherTypes)?.count).toBe(900);
    expect(sum(written)).toBe(1_001);
  });

  test('a wrong key is recorded once a minute, and so is none', async () => {
    const { written, recorder } = setUp();
    for (let at = 0; at <= 120_000; at += 1_000) {
      recorder.recordRefusal('t', STAT_TYPE.wrongKey, at);
      recorder.recordRefusal('t', STAT_TYPE.noKey, at);
    }
    await recorder.close();
    expect(sum(written)).toBe(6);
    expect(written.flat()[0]).toMatchObject({ type: 'wrong_key', keyId: '' });
  });

  test('a wrong key soon after a right one is recorded: somebody has just saved the webhook, and waits', async () => {
    const { written, recorder } = setUp();
    recorder.recordRefusal('t', STAT_TYPE.wrongKey, 0);
    recorder.record('t', 'k', 'A/B', 10_000);
    recorder.recordRefusal('t', STAT_TYPE.wrongKey, 20_000);
    recorder.recordRefusal('t', STAT_TYPE.wrongKey, 30_000);
    await recorder.close();
    const wrong = written.flat().filter(({ type }) => type === STAT_TYPE.wrongKey);
    expect([sum([wrong]), wrong.at(-1)?.lastAt]).toEqual([2, 20_000]);
  });
});
