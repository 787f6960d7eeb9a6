import { expect, it } from 'vitest';
import type { ConversationResult } from '../../../src/contracts/reading.ts';
import { storedOf } from '../../../src/store/conversations/stored.ts';
import { type Written, writeConversations } from '../../../src/store/conversations/write.ts';
import { beginDrain, StaleDrainError } from '../../../src/store/drains.ts';
import { getConversation, readFeed } from '../../../src/store/feed.ts';
import { selectDue } from '../../../src/store/ledger/select-due.ts';
import { takeIn } from '../../../src/store/ledger/take-in.ts';
import { waitingEvents } from '../../../src/store/ledger/waiting.ts';
import { at, countsBothWays, event, item, reading, write } from '../../support/store/samples.ts';
import { describeStore } from '../../support/store/store-suite.ts';

describeStore('writeConversations', (store) => {
  const put = async (tenantId: string, fence: number, ...writes: ConversationResult[]): Promise<Written> =>
    await store.db.transaction((tx) => writeConversations(tx, tenantId, fence, writes));

  it('writes conversation, items, the events and the feed together', async () => {
    const tenantId = await store.tenant();
    const fence = await beginDrain(store.db, tenantId, 'worker-1');
    await takeIn(store.db, tenantId, [event('e1', 'c1'), event('e2', 'c1'), event('e3', 'c2')]);

    const written = await put(
      tenantId,
      fence,
      write('c1', { reading: reading('OPEN', [item('i1'), item('i2')], at(10)), extracted: ['e1', 'e2'] }),
      write('c2', { reading: reading('CLOSED', [item('i3')], at(10)), extracted: ['e3'] }),
    );

    expect(written).toEqual({ extracted: 3, gone: 0, rejected: 0, changed: 2 });
    const feed = await readFeed(store.db, tenantId, 0, 10);
    expect(feed.map(({ seq, conversationId, status, itemCount }) => [seq, conversationId, status, itemCount])).toEqual([
      [1, 'c1', 'OPEN', 2],
      [2, 'c2', 'CLOSED', 1],
    ]);
    const whole = await getConversation(store.db, tenantId, 'c1');
    expect(whole?.conversation).toMatchObject({
      customerId: 'customer-1',
      inboxId: 'inbox-1',
      agentId: null,
      topicIds: ['topic-1', 'topic-2'],
      customAttributes: [{ id: 'attribute-1', value: 'gold' }],
      readAt: at(10),
      goneAt: null,
      raw: reading('OPEN', [], at(0)).raw,
    });
    expect(whole?.items.map(({ itemId, content, raw }) => [itemId, content, raw])).toEqual([
      ['i1', 'text of i1', item('i1').raw],
      ['i2', 'text of i2', item('i2').raw],
    ]);
    expect(await selectDue(store.db, tenantId, everything)).toEqual([]);
    const { kept, counted } = await countsBothWays(store.db, tenantId);
    expect(kept).toEqual(counted);
    expect(kept).toMatchObject({ waiting: 0, extracted: 3 });
  });

  it('gives a feed number only for a change, and moves the conversation to the end', async () => {
    const tenantId = await store.tenant();
    const fence = await beginDrain(store.db, tenantId, 'worker-1');
    const c1 = (status: string, items: string[], seconds: number, limited = false) =>
      put(
        tenantId,
        fence,
        write('c1', {
          reading: reading(
            status,
            items.map((id) => item(id)),
            at(seconds),
            limited,
          ),
        }),
      );
    await c1('OPEN', ['i1'], 10);
    await put(tenantId, fence, write('c2', { reading: reading('OPEN', [], at(10)) }));

    expect(await c1('OPEN', ['i1'], 20)).toMatchObject({ changed: 0 });
    expect(await c1('OPEN', ['i1', 'i2'], 30)).toMatchObject({ changed: 1 });
    expect(await c1('OPEN', ['i1', 'i2'], 40, true)).toMatchObject({ changed: 1 });
    expect(await c1('CLOSED', ['i1', 'i2'], 50)).toMatchObject({ changed: 1 });

    expect((await readFeed(store.db, tenantId, 0, 10)).map(({ seq, conversationId }) => [seq, conversationId])).toEqual(
      [
        [2, 'c2'],
        [5, 'c1'],
      ],
    );
    expect(await storedOf(store.db, tenantId, ['c1', 'c9'])).toEqual(new Set(['c1']));
  });

  it('goes by the order of readings, whatever clock they were read by, and never loses an item', async () => {
    const tenantId = await store.tenant();
    const fence = await beginDrain(store.db, tenantId, 'worker-1');
    await put(tenantId, fence, write('c1', { reading: reading('OPEN', [item('i1'), item('i2', 'old')], at(20)) }));
    const next = write('c1', { reading: reading('CLOSED', [item('i2', 'new')], at(10)) });
    expect(await put(tenantId, fence, next)).toMatchObject({ changed: 1 });
    // Over the cap the newest items are missing from the list; they stay.
    await put(tenantId, fence, write('c1', { reading: reading('CLOSED', [item('i1')], at(5), true) }));

    const whole = await getConversation(store.db, tenantId, 'c1');
    expect(whole?.conversation).toMatchObject({ status: 'CLOSED', itemCount: 2, readAt: at(5), limited: true });
    expect(whole?.items.map(({ itemId, content }) => [itemId, content])).toEqual([
      ['i1', 'text of i1'],
      ['i2', 'new'],
    ]);
  });

  it('stores items that were read one by one, and events that cost no call', async () => {
    const tenantId = await store.tenant();
    const fence = await beginDrain(store.db, tenantId, 'worker-1');
    await put(tenantId, fence, write('c1', { reading: reading('OPEN', [item('i1')], at(10)) }));
    await takeIn(store.db, tenantId, [event('e1', 'c1'), event('e2', 'c1')]);

    expect(await put(tenantId, fence, write('c1', { items: [item('i7')], extracted: ['e1'] }))).toMatchObject({
      changed: 1,
      extracted: 1,
    });
    expect(await put(tenantId, fence, write('c1', { extracted: ['e2'] }))).toMatchObject({ changed: 0, extracted: 1 });
    const whole = await getConversation(store.db, tenantId, 'c1');
    expect(whole?.conversation).toMatchObject({ seq: 2, itemCount: 2 });
  });

  it('leaves events for another look in the queue until it is time, or until something new comes', async () => {
    const tenantId = await store.tenant();
    const fence = await beginDrain(store.db, tenantId, 'worker-1');
    await takeIn(store.db, tenantId, [
      event('e1', 'c1', at(0)),
      event('e2', 'c1', at(1)),
      event('e3', 'c1', at(2), { itemId: 'i3' }),
    ]);
    await put(
      tenantId,
      fence,
      write('c1', {
        reading: reading('OPEN', [], at(10)),
        extracted: ['e1'],
        rejected: [{ eventId: 'e2', reason: 'poison' }],
        later: { eventIds: ['e3'], inMs: 5_000, reason: 'item_not_found' },
      }),
    );
    const inSeconds = (seconds: number) => ({ ...everything, now: new Date(Date.now() + seconds * 1_000) });
    expect(await selectDue(store.db, tenantId, inSeconds(0))).toEqual([]);
    expect(await selectDue(store.db, tenantId, inSeconds(6))).toHaveLength(1);
    // Something new is a reason to look at once.
    await takeIn(store.db, tenantId, [event('e4', 'c1', at(50))]);
    const [due] = await selectDue(store.db, tenantId, everything);
    expect(due).toMatchObject({ conversationId: 'c1', waiting: 2, attempts: 0 });
    const events = (await waitingEvents(store.db, tenantId, ['c1'])).get('c1');
    expect(events?.map(({ eventId, attempts }) => [eventId, attempts])).toEqual([
      ['e3', 1],
      ['e4', 0],
    ]);
    expect(events?.[0]?.missingMs).toBeGreaterThanOrEqual(0);
    expect(events?.[1]?.missingMs).toBeNull();
    const { kept, counted } = await countsBothWays(store.db, tenantId);
    expect(kept).toEqual(counted);
  });

  it('records a conversation that is gone, and takes it back when it is read again', async () => {
    const tenantId = await store.tenant();
    const fence = await beginDrain(store.db, tenantId, 'worker-1');
    await takeIn(store.db, tenantId, [event('e1', 'c1'), event('e2', 'never-read')]);
    await put(tenantId, fence, write('c1', { reading: reading('OPEN', [item('i1')], at(10)) }));
    const gone = await put(
      tenantId,
      fence,
      write('c1', { conversationGone: true, gone: [{ eventId: 'e1', reason: 'conversation_not_found' }] }),
      write('never-read', { conversationGone: true, gone: [{ eventId: 'e2', reason: 'conversation_not_found' }] }),
    );
    expect(gone).toEqual({ extracted: 0, gone: 2, rejected: 0, changed: 1 });
    expect(
      (await readFeed(store.db, tenantId, 1, 10)).map(({ conversationId, goneAt, itemCount }) => [
        conversationId,
        goneAt,
        itemCount,
      ]),
    ).toEqual([['c1', expect.any(Date), 1]]);
    expect(await put(tenantId, fence, write('c1', { reading: reading('OPEN', [item('i1')], at(30)) }))).toMatchObject({
      changed: 1,
    });
    expect((await getConversation(store.db, tenantId, 'c1'))?.conversation).toMatchObject({ goneAt: null, seq: 3 });
  });

  it('stores what jsonb refuses: NUL and half pairs become U+FFFD, all else stays', async () => {
    const tenantId = await store.tenant();
    const fence = await beginDrain(store.db, tenantId, 'worker-1');
    const nasty = 'a\0b \ud83d c \ud83d\ude00 \\u0000 "quoted" {x,NULL}';
    await put(
      tenantId,
      fence,
      write('c1', {
        reading: reading('OPEN', [item('i1', nasty, { subject: nasty, raw: { [nasty]: nasty } })], at(10)),
      }),
    );
    const mended = 'a\ufffdb \ufffd c \ud83d\ude00 \\u0000 "quoted" {x,NULL}';
    const whole = await getConversation(store.db, tenantId, 'c1');
    expect(whole?.items[0]).toMatchObject({ content: mended, subject: mended, raw: { [mended]: mended } });
  });

  it('changes nothing for a drain that has a successor', async () => {
    const tenantId = await store.tenant();
    const stale = await beginDrain(store.db, tenantId, 'worker-1');
    await takeIn(store.db, tenantId, [event('e1', 'c1')]);
    const fence = await beginDrain(store.db, tenantId, 'worker-2');

    const late = write('c1', { reading: reading('OPEN', [item('i1')], at(10)), extracted: ['e1'] });
    await expect(put(tenantId, stale, late)).rejects.toThrow(StaleDrainError);
    expect(await readFeed(store.db, tenantId, 0, 10)).toEqual([]);
    expect(await put(tenantId, fence, late)).toMatchObject({ extracted: 1, changed: 1 });
    expect(await put(tenantId, fence, late)).toMatchObject({ extracted: 0, changed: 0 });
  });
});

const everything = { settleMs: 0, settleMaxMs: 0, limit: 100, newestShare: 0 };
