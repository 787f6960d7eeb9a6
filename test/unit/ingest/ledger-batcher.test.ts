import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { createLedgerBatcher, type LedgerLimits } from '../../../src/api/ingest/ledger-batcher.ts';
import type { LedgerRow } from '../../../src/api/ingest/ports.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const row = (text: string): LedgerRow => ({ tenantId: 't', keyId: 'k', acceptedAt: 1, body: Buffer.from(text) });
const texts = (rows: readonly LedgerRow[]): string[] => rows.map(({ body }) => body.toString());

/** A batcher whose first `hanging` writes end when `goOn` is called; the others end immediately. */
function setUp(limits: Partial<LedgerLimits> = {}, hanging = 1) {
  const clock = new FakeClock();
  const writes: string[][] = [];
  const gate = Promise.withResolvers<void>();
  const put = async (rows: readonly LedgerRow[]): Promise<boolean[]> => {
    writes.push(texts(rows));
    if (writes.length <= hanging) await gate.promise;
    return rows.map(() => true);
  };
  return {
    clock,
    writes,
    goOn: gate.resolve,
    ledger: createLedgerBatcher({ put }, () => undefined, limits, clock),
  };
}

describe('rows on their way into the ledger', () => {
  test('go together when they come together, and gather while a write is under way', async () => {
    const { clock, writes, goOn, ledger } = setUp({ maxRows: 3 });
    const first = [ledger.put(row('a')), ledger.put(row('b'))];
    await clock.settle();
    const rest = ['c', 'd', 'e', 'f'].map((text) => ledger.put(row(text)));
    await clock.settle();
    expect(writes).toEqual([['a', 'b']]);
    goOn();
    expect(await Promise.all([...first, ...rest])).toEqual([true, true, true, true, true, true]);
    expect(writes).toEqual([['a', 'b'], ['c', 'd', 'e'], ['f']]);
    await clock.settle();
    expect(clock.timers).toBe(0);
  });

  test('of one turn of the event loop go together, even if promises settle in between', async () => {
    const { writes, ledger } = setUp({}, 0);
    const first = ledger.put(row('a'));
    for (let n = 0; n < 10; n += 1) await Promise.resolve();
    await Promise.all([first, ledger.put(row('b'))]);
    expect(writes).toEqual([['a', 'b']]);
  });

  test('one write takes no more bytes than it may, but always one row', async () => {
    const { writes, ledger } = setUp({ maxBytes: 4 }, 0);
    await Promise.all(['aa', 'bb', 'c', 'much too long', 'd'].map((text) => ledger.put(row(text))));
    expect(writes).toEqual([['aa', 'bb'], ['c'], ['much too long'], ['d']]);
  });

  test('a write that hangs holds up the next one for a second, and no more than two hang at a time', async () => {
    const { clock, writes, goOn, ledger } = setUp({}, 2);
    const first = ledger.put(row('a'));
    await clock.settle();
    const second = ledger.put(row('b'));
    await clock.advance(999);
    expect(writes).toEqual([['a']]);
    await clock.advance(1);
    expect(writes).toEqual([['a'], ['b']]);
    const third = ledger.put(row('c'));
    await clock.advance(5_000);
    expect(writes).toEqual([['a'], ['b']]);
    goOn();
    // Slow, but durable.
    expect(await Promise.all([first, second, third])).toEqual([true, true, true]);
    expect(writes).toEqual([['a'], ['b'], ['c']]);
  });

  test('closing waits for a write that hangs', async () => {
    const { clock, goOn, ledger } = setUp();
    const first = ledger.put(row('a'));
    await clock.advance(2_000);
    let closed = false;
    const closing = ledger.close().then(() => {
      closed = true;
    });
    await clock.advance(2_000);
    expect(closed).toBe(false);
    goOn();
    await closing;
    expect(await first).toBe(true);
  });

  test('closing writes what was given just before', async () => {
    const { writes, ledger } = setUp({}, 0);
    void ledger.put(row('a'));
    await ledger.close();
    expect(writes).toEqual([['a']]);
  });

  test('each has its own result, and a write that fails fails its own rows only', async () => {
    const failures: number[] = [];
    const writer = {
      put: async (rows: readonly LedgerRow[]): Promise<boolean[]> => {
        if (texts(rows).includes('poison')) throw new Error('x');
        return rows.map(({ body }) => body.toString() !== 'gone');
      },
    };
    const ledger = createLedgerBatcher(writer, (_, rows) => failures.push(rows), {}, new FakeClock());
    expect(await Promise.all(['a', 'gone'].map((text) => ledger.put(row(text))))).toEqual([true, false]);
    expect(await ledger.put(row('poison'))).toBe(false);
    expect(await ledger.put(row('b'))).toBe(true);
    expect(failures).toEqual([1]);
  });

  test('what is being written is pending until its write has ended, as is what waits', async () => {
    const { clock, goOn, ledger } = setUp();
    const first = ledger.put(row('a'));
    expect(ledger.pending).toBe(1);
    await clock.settle();
    expect(ledger.pending).toBe(1);
    const second = ledger.put(row('b'));
    expect(ledger.pending).toBe(2);
    goOn();
    await Promise.all([first, second]);
    expect(ledger.pending).toBe(0);
  });

  test('a write that fails is not pending any more', async () => {
    const writer = { put: () => Promise.reject(new Error('x')) };
    const ledger = createLedgerBatcher(writer, () => undefined, {}, new FakeClock());
    expect(await ledger.put(row('a'))).toBe(false);
    expect(ledger.pending).toBe(0);
  });

  test('more than may wait is refused at once, by number and by bytes', async () => {
    const { clock, goOn, ledger } = setUp({ maxWaiting: 2, maxWaitingBytes: 10 });
    const kept = [ledger.put(row('a')), ledger.put(row('b'))];
    expect(await ledger.put(row('c'))).toBe(false);
    await clock.settle();
    expect(await ledger.put(row('much too long'))).toBe(false);
    kept.push(ledger.put(row('123456789')));
    expect(await ledger.put(row('10'))).toBe(false);
    goOn();
    expect(await Promise.all(kept)).toEqual([true, true, true]);
    expect(ledger.pending).toBe(0);
  });

  test('a row that waits for 7 s is given up, is not written later, and frees its place', async () => {
    const { clock, writes, goOn, ledger } = setUp({ maxWaiting: 1, maxWrites: 1 });
    const results: [string, boolean, number][] = [];
    const put = (text: string): void =>
      void ledger.put(row(text)).then((durable) => results.push([text, durable, clock.now()]));
    put('a');
    await clock.advance(100);
    put('b');
    await clock.advance(10_000);
    // 'a' may be durable, but that is not known.
    expect(results).toEqual([
      ['a', false, 7_000],
      ['b', false, 7_100],
    ]);
    put('c');
    goOn();
    await clock.settle();
    expect(results.at(-1)).toEqual(['c', true, 10_100]);
    expect(writes).toEqual([['a'], ['c']]);
  });
});
