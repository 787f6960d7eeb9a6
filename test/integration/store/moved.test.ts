import { expect, it } from 'vitest';
import { writeConversations } from '../../../src/store/conversations/write.ts';
import { beginDrain } from '../../../src/store/drains.ts';
import { getConversation, readFeed } from '../../../src/store/feed.ts';
import { takeIn } from '../../../src/store/ledger/take-in.ts';
import { waitingEvents } from '../../../src/store/ledger/waiting.ts';
import { at, countsBothWays, event, item, reading, write } from '../../support/store/samples.ts';
import { describeStore } from '../../support/store/store-suite.ts';

describeStore('conversations that moved', (store) => {
  const put = (tenantId: string, fence: number, ...writes: readonly ReturnType<typeof write>[]) =>
    store.db.transaction((tx) => writeConversations(tx, tenantId, fence, writes));
  const moved = (from: string, to: string, ...eventIds: string[]) =>
    write(from, { conversationGone: true, moved: { to, eventIds } });
  const waiting = async (tenantId: string, ...ids: string[]) =>
    [...(await waitingEvents(store.db, tenantId, ids))].map(([id, events]) => [id, ...events.map((it) => it.eventId)]);

  it('leave their events to the new id, whether it waits already or not, and say where they went', async () => {
    const tenantId = await store.tenant();
    const fence = await beginDrain(store.db, tenantId, 'worker-1');
    await takeIn(store.db, tenantId, [event('e0', 'z-old')]);
    await put(tenantId, fence, write('z-old', { reading: reading('OPEN', [item('i1')], at(1)), extracted: ['e0'] }));
    await takeIn(store.db, tenantId, [
      event('e1', 'z-old'),
      event('e2', 'z-old'),
      event('e3', 'b-old'),
      event('e4', 'a-new'),
    ]);
    await put(tenantId, fence, moved('z-old', 'a-new', 'e1', 'e2'), moved('b-old', 'c-new', 'e3'));

    expect(await waiting(tenantId, 'z-old', 'a-new', 'b-old', 'c-new')).toEqual([
      ['a-new', 'e1', 'e2', 'e4'],
      ['c-new', 'e3'],
    ]);
    const { kept, counted } = await countsBothWays(store.db, tenantId);
    expect(kept).toEqual(counted);
    const old = (await getConversation(store.db, tenantId, 'z-old'))?.conversation;
    expect(old).toMatchObject({ goneAt: expect.any(Date), movedTo: 'a-new', seq: 2 });
    // Told once, and only of what was stored.
    await put(tenantId, fence, moved('z-old', 'a-new'));
    expect((await readFeed(store.db, tenantId, 0, 10)).map(({ conversationId, seq }) => [conversationId, seq])).toEqual(
      [['z-old', 2]],
    );
  });

  it('keep what came meanwhile, and are there again when Gladly shows them again', async () => {
    const tenantId = await store.tenant();
    const fence = await beginDrain(store.db, tenantId, 'worker-1');
    await takeIn(store.db, tenantId, [event('e1', 'old')]);
    await put(tenantId, fence, write('old', { reading: reading('OPEN', [], at(1)), extracted: ['e1'] }));
    await takeIn(store.db, tenantId, [event('e2', 'old'), event('e3', 'old')]);
    await put(tenantId, fence, moved('old', 'new', 'e2', 'e1', 'unknown'));
    expect(await waiting(tenantId, 'old', 'new')).toEqual([
      ['old', 'e3'],
      ['new', 'e2'],
    ]);
    await put(tenantId, fence, write('old', { reading: reading('OPEN', [], at(2)), extracted: ['e3'] }));
    await put(tenantId, fence, write('new', { reading: reading('OPEN', [], at(2)), extracted: ['e2'] }));
    const { kept, counted } = await countsBothWays(store.db, tenantId);
    expect(kept).toEqual(counted);
    expect(kept).toMatchObject({ waiting: 0, extracted: 3, pending: 0 });
    expect((await getConversation(store.db, tenantId, 'old'))?.conversation).toMatchObject({
      goneAt: null,
      movedTo: null,
    });
  });
});
