import { expect, it } from 'vitest';
import { writeConversations } from '../../../src/store/conversations/write.ts';
import type { Db } from '../../../src/store/db.ts';
import { beginDrain } from '../../../src/store/drains.ts';
import { readFeed, readItems } from '../../../src/store/feed.ts';
import { heldOpen } from '../../support/store/held-open.ts';
import { at, item, reading, write } from '../../support/store/samples.ts';
import { describeStore } from '../../support/store/store-suite.ts';

const WRITERS = 4;
const WRITES = 30;
const CONVERSATIONS = 6;

describeStore('feed', (store) => {
  it('shows a reader that goes by its cursor every change, while several writers are busy', async () => {
    const tenantId = await store.tenant();
    const fence = await beginDrain(store.db, tenantId, 'w1');
    let writing = WRITERS;
    const writer = async (n: number): Promise<void> => {
      for (let version = 1; version <= WRITES; version += 1) {
        // Two conversations of its own and one that all writers share; in changing order, as they come.
        const ids = [`shared-${version % CONVERSATIONS}`, `writer-${n}-${version % CONVERSATIONS}`];
        const writes = ids.map((id) =>
          write(id, { items: [], reading: reading(`by ${n}, ${version}`, [], at(version)) }),
        );
        await store.db.transaction((tx) => writeConversations(tx, tenantId, fence, writes));
      }
      writing -= 1;
    };
    const seen = new Map<string, string | null>();
    let cursor = 0;
    const reader = async (): Promise<void> => {
      for (let last = false; !last; ) {
        last = writing === 0;
        const page = await readFeed(store.db, tenantId, cursor, 3);
        for (const { conversationId, status, seq } of page) {
          expect(seq).toBeGreaterThan(cursor);
          cursor = seq;
          seen.set(conversationId, status);
        }
        if (page.length > 0) last = false;
      }
    };
    await Promise.all([reader(), ...Array.from({ length: WRITERS }, (_, n) => writer(n))]);

    const { rows } = await store.db.query<{ id: string; status: string }>(
      'SELECT conversation_id AS id, status FROM conversations WHERE tenant_id = $1',
      [tenantId],
    );
    expect(rows).toHaveLength(CONVERSATIONS * (WRITERS + 1));
    expect(seen).toEqual(new Map(rows.map(({ id, status }) => [id, status])));
  });

  it('shows nothing of a later writer before an earlier one has committed', async () => {
    const tenantId = await store.tenant();
    const fence = await beginDrain(store.db, tenantId, 'w1');
    const put = (db: Db, id: string) =>
      db.transaction((tx) =>
        writeConversations(tx, tenantId, fence, [write(id, { reading: reading('OPEN', [], at(0)) })]),
      );
    const { db, held } = heldOpen(store.db, 200);
    const slow = put(db, 'slow');
    await held;
    await put(store.db, 'fast');
    const seen = await readFeed(store.db, tenantId, 0, 10);
    await slow;
    expect(seen.map(({ seq, conversationId }) => [seq, conversationId])).toEqual([
      [1, 'slow'],
      [2, 'fast'],
    ]);
  });

  it('begins after any cursor and ends with an empty page', async () => {
    const tenantId = await store.tenant();
    const fence = await beginDrain(store.db, tenantId, 'w1');
    const writes = ['c1', 'c2', 'c3'].map((id) =>
      write(id, { reading: reading('OPEN', [item(`${id}-b`), item(`${id}-a`)], at(0)) }),
    );
    await store.db.transaction((tx) => writeConversations(tx, tenantId, fence, writes));
    const ids = async (after: number, limit: number) =>
      (await readFeed(store.db, tenantId, after, limit)).map(({ conversationId }) => conversationId);
    expect(await ids(0, 2)).toEqual(['c1', 'c2']);
    expect(await ids(2, 2)).toEqual(['c3']);
    expect(await ids(3, 2)).toEqual([]);
    expect(await ids(99, 2)).toEqual([]);
    expect(await readFeed(store.db, 'nobody', 0, 2)).toEqual([]);
    const items = await readItems(store.db, tenantId, ['c1', 'c3', 'c9']);
    expect([...items].map(([id, of]) => [id, of.map(({ itemId }) => itemId)])).toEqual([
      ['c1', ['c1-a', 'c1-b']],
      ['c3', ['c3-a', 'c3-b']],
      ['c9', []],
    ]);
  });
});
