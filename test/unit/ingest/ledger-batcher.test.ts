import { Buffer } from 'node:buffer';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createLedgerBatcher } from '../../../src/api/ingest/ledger-batcher.ts';
import type { LedgerRow } from '../../../src/api/ingest/ports.ts';
import { until } from '../../support/ingest/until.ts';

const row = (text: string): LedgerRow => ({ tenantId: 't', keyId: 'k', acceptedAt: 1, body: Buffer.from(text) });
const texts = (rows: readonly LedgerRow[]): string[] => rows.map(({ body }) => body.toString());

/** A ledger whose first writes wait until it is told to go on. */
function slowLedger(slow = 1) {
  const writes: string[][] = [];
  const gate = Promise.withResolvers<void>();
  const put = async (rows: readonly LedgerRow[]): Promise<boolean[]> => {
    writes.push(texts(rows));
    if (writes.length <= slow) await gate.promise;
    return rows.map(() => true);
  };
  return { writes, writer: { put }, goOn: gate.resolve };
}

describe('rows on their way into the ledger', () => {
  test('go together when they come together, and gather while a write is under way', async () => {
    const { writes, writer, goOn } = slowLedger();
    const ledger = createLedgerBatcher(writer, () => undefined, { maxRows: 3 });
    const first = [ledger.put(row('a')), ledger.put(row('b'))];
    await pause(5);
    const rest = ['c', 'd', 'e', 'f'].map((text) => ledger.put(row(text)));
    goOn();
    expect(await Promise.all([...first, ...rest])).toEqual([true, true, true, true, true, true]);
    expect(writes).toEqual([['a', 'b'], ['c', 'd', 'e'], ['f']]);
  });

  test('a write that hangs holds up nobody for long; so many at a time go on beside it, and no more', async () => {
    const { writes, writer, goOn } = slowLedger(2);
    const ledger = createLedgerBatcher(writer, () => undefined, { slowMs: 20, maxWrites: 2, timeoutMs: 2_000 });
    const first = ledger.put(row('a'));
    await pause(5);
    const began = performance.now();
    const second = ledger.put(row('b'));
    await until(() => writes.length === 2);
    expect(performance.now() - began).toBeLessThan(1_000);
    const third = ledger.put(row('c'));
    await pause(100);
    expect(writes).toEqual([['a'], ['b']]);
    goOn();
    // What took long is durable all the same.
    expect(await Promise.all([first, second, third])).toEqual([true, true, true]);
    expect(writes).toEqual([['a'], ['b'], ['c']]);
  });

  test('closing waits for a write that hangs', async () => {
    const { writer, goOn } = slowLedger();
    const ledger = createLedgerBatcher(writer, () => undefined, { slowMs: 1 });
    const first = ledger.put(row('a'));
    await pause(20);
    let closed = false;
    const closing = ledger.close().then(() => {
      closed = true;
    });
    await pause(20);
    expect(closed).toBe(false);
    goOn();
    await closing;
    expect(await first).toBe(true);
  });

  test('each has its own result, and a write that fails is nobody else’s', async () => {
    const failures: number[] = [];
    const writer = {
      put: async (rows: readonly LedgerRow[]): Promise<boolean[]> => {
        if (texts(rows).includes('poison')) throw new Error('x');
        return rows.map(({ body }) => body.toString() !== 'gone');
      },
    };
    const ledger = createLedgerBatcher(writer, (_, rows) => failures.push(rows));
    expect(await Promise.all(['a', 'gone'].map((text) => ledger.put(row(text))))).toEqual([true, false]);
    expect(await ledger.put(row('poison'))).toBe(false);
    expect(await ledger.put(row('b'))).toBe(true);
    expect(failures).toEqual([1]);
  });

  test('more than may wait is refused at once, by number and by bytes', async () => {
    const { writer, goOn } = slowLedger();
    const ledger = createLedgerBatcher(writer, () => undefined, { maxWaiting: 2, maxWaitingBytes: 10 });
    const kept = [ledger.put(row('a')), ledger.put(row('b'))];
    expect(await ledger.put(row('c'))).toBe(false);
    await pause(5);
    expect(await ledger.put(row('much too long'))).toBe(false);
    kept.push(ledger.put(row('123456789')));
    goOn();
    expect(await Promise.all(kept)).toEqual([true, true, true]);
    expect(ledger.pending).toBe(0);
  });

  test('one that waits too long is given up, is not written later, and frees its place', async () => {
    const { writes, writer, goOn } = slowLedger();
    const ledger = createLedgerBatcher(writer, () => undefined, { timeoutMs: 30, maxWaiting: 1 });
    const first = ledger.put(row('a'));
    await pause(5);
    const began = performance.now();
    expect(await ledger.put(row('b'))).toBe(false);
    expect(performance.now() - began).toBeLessThan(500);
    // The first may have been written all the same: nobody knows, so it is not said to be.
    expect(await first).toBe(false);
    goOn();
    await pause(5);
    expect(await ledger.put(row('c'))).toBe(true);
    expect(writes).toEqual([['a'], ['c']]);
  });
});
