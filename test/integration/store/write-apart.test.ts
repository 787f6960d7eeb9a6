import { expect, it } from 'vitest';
import { writeApart } from '../../../src/store/conversations/write-apart.ts';
import type { Db } from '../../../src/store/db.ts';
import { beginDrain, StaleDrainError } from '../../../src/store/drains.ts';
import { getConversation } from '../../../src/store/feed.ts';
import { rejectedEvents } from '../../../src/store/ledger/rejected.ts';
import { takeIn } from '../../../src/store/ledger/take-in.ts';
import { at, countsBothWays, event, item, reading, withRule, write } from '../../support/store/samples.ts';
import { describeStore } from '../../support/store/store-suite.ts';

const MB = 1024 * 1024;

/** JSON that JSON.parse takes and JSON.stringify does not. */
const deep = (): unknown => JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`);

/** Notes how much of parameters each statement of `db` has, and how many transactions there were. */
function measured(db: Db): { readonly db: Db; readonly sizes: number[]; readonly transactions: () => number } {
  const sizes: number[] = [];
  let transactions = 0;
  const transaction: Db['transaction'] = (fn, options) => {
    transactions += 1;
    return db.transaction(
      (tx) =>
        fn({
          ...tx,
          query: (sql, params = []) => {
            sizes.push(JSON.stringify(params).length);
            return tx.query(sql, params);
          },
        }),
      options,
    );
  };
  return { db: { ...db, transaction }, sizes, transactions: () => transactions };
}

describeStore('writeApart', (store) => {
  async function withEvents(count: number) {
    const tenantId = await store.tenant();
    const fence = await beginDrain(store.db, tenantId, 'w1');
    const ids = Array.from({ length: count }, (_, n) => `c${n}`);
    await takeIn(
      store.db,
      tenantId,
      ids.map((id) => event(`e-${id}`, id)),
    );
    return { tenantId, fence, ids };
  }
  const readingOf = (id: string, items = [item(`i-${id}`)]) =>
    write(id, { reading: reading('OPEN', items, at(10)), extracted: [`e-${id}`] });

  it.each([
    ['a rule of the table (23514)', '23514', (id: string) => readingOf(id, [item('poison')])],
    ['too large for an index (54000)', '54000', (id: string) => readingOf(id, [item(randomText(6_000))])],
    [
      'a number that is none of ours (22003)',
      '22003',
      (id: string) => readingOf(id, [item('x', 'y', { attachments: 2 ** 40 })]),
    ],
    ['JSON nested too deep (54001)', '54001', (id: string) => readingOf(id, [item('x', 'y', { raw: deep() })])],
    [
      'a head nested too deep (54001)',
      '54001',
      (id: string) => write(id, { reading: { ...reading('OPEN', [], at(10)), raw: deep() }, extracted: [`e-${id}`] }),
    ],
  ])('a conversation that Postgres refuses costs itself alone: %s', async (_, code, poisoned) => {
    const { tenantId, fence, ids } = await withEvents(20);
    const results = ids.map((id) => (id === 'c13' ? poisoned(id) : readingOf(id)));
    const put = () =>
      withRule(store.db, 'items', `item_id <> 'poison'`, () => writeApart(store.db, tenantId, fence, results));
    const reason = `store_refused_${code}`;
    const written = await put();
    expect(written.map(({ conversationId }) => conversationId)).toEqual(ids);
    expect(written.filter((result, n) => result !== results[n])).toMatchObject([
      { conversationId: 'c13', extracted: [], failed: { reason, inMs: 2_000 } },
    ]);
    const { kept, counted } = await countsBothWays(store.db, tenantId);
    expect(kept).toEqual(counted);
    expect(kept).toMatchObject({ waiting: 1, extracted: 19, rejected: 0 });
    expect(await getConversation(store.db, tenantId, 'c13')).toBeNull();
    // It is tried again, later and later, and in the end its events are rejected.
    const waits = [];
    for (let n = 0; n < 4; n += 1) waits.push((await put())[13]?.failed?.inMs);
    expect(waits).toEqual([10_000, 60_000, 300_000, undefined]);
    expect(await rejectedEvents(store.db, tenantId, { limit: 5 })).toMatchObject([{ eventId: 'e-c13', reason }]);
    const after = await countsBothWays(store.db, tenantId);
    expect(after.kept).toEqual(after.counted);
  });

  it('ends a transaction and a statement at 8 MB, however many conversations and items there are', async () => {
    const { tenantId, fence, ids } = await withEvents(8);
    const large = (id: string, count: number) =>
      Array.from({ length: count }, (_, n) => item(`${id}-${n}`, 'short', { raw: { id, text: 'x'.repeat(MB) } }));
    const results = ids.map((id, n) => readingOf(id, large(id, n === 0 ? 18 : 2)));
    const { db, sizes, transactions } = measured(store.db);
    expect(await writeApart(db, tenantId, fence, results)).toEqual(results);
    expect(Math.max(...sizes)).toBeLessThan(9 * MB);
    expect(transactions()).toBe(4);
    const stored = await Promise.all(ids.map((id) => getConversation(store.db, tenantId, id)));
    expect(stored.map((one) => one?.items.length)).toEqual([18, 2, 2, 2, 2, 2, 2, 2]);
  });

  it('writes nothing after another drain has begun', async () => {
    const { tenantId, fence } = await withEvents(2);
    await beginDrain(store.db, tenantId, 'w2');
    await expect(writeApart(store.db, tenantId, fence, [readingOf('c0')])).rejects.toThrow(StaleDrainError);
  });
});

const randomText = (length: number): string =>
  Array.from({ length }, () => String.fromCharCode(33 + Math.floor(Math.random() * 90))).join('');
