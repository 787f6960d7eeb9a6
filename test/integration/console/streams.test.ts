import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createTenant } from '../../../src/store/tenants.ts';
import { type BareApi, postForm, signedIn, startBareApi } from '../../support/bare-api.ts';
import { KEYS } from '../../support/browser/operator.ts';

/** Streams that pages follow. Each takes a place, and there are 200 for operators and 300 for links, 20 of these for one tenant. */
describe('a live stream', () => {
  let api: BareApi;
  let cookie = '';
  let sockets: Socket[] = [];

  beforeAll(async () => {
    api = await startBareApi();
    await createTenant(api.db, { tenantId: 'acme', name: 'Acme', retentionDays: 4 });
    await createTenant(api.db, { tenantId: 'other', name: 'Other', retentionDays: 4 });
    cookie = await signedIn(api.url, KEYS.ann);
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    sockets = [];
    await delay(100);
  });
  afterAll(async () => {
    await api?.close();
  });

  /** A connection with `times` requests at once; `read` is what came back. */
  async function ask(path: string, options: { times?: number; method?: string; cookie?: string } = {}) {
    const { times = 1, method = 'GET' } = options;
    const socket = connect(api.port, '127.0.0.1');
    sockets.push(socket);
    await once(socket, 'connect');
    const answer = { socket, read: '' };
    socket.on('data', (chunk) => {
      answer.read += String(chunk);
    });
    socket.on('error', () => undefined);
    const cookies = options.cookie === undefined ? '' : `Cookie: ${options.cookie}\r\n`;
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${api.port}\r\n${cookies}\r\n`.repeat(times));
    return answer;
  }
  type Answer = Awaited<ReturnType<typeof ask>>;
  const begins = (answer: Answer, with_: string) => expect.poll(() => answer.read).toContain(with_);

  /** An operator and a customer each get a stream that stays. */
  async function stillServed(): Promise<void> {
    const console = await ask('/console/live', { cookie });
    await begins(console, ': here');
    const link = await ask(`${new URL(await api.connectUrl('other')).pathname}/live`);
    await begins(link, ': here');
    expect([console.read, link.read].map((text) => text.split('\r\n')[0])).toEqual([
      'HTTP/1.1 200 OK',
      'HTTP/1.1 200 OK',
    ]);
  }

  it('is none without a session: it says so and ends, however often on a connection', { timeout: 60_000 }, async () => {
    const answer = await ask('/console/live', { times: 520 });
    await expect.poll(() => answer.read.split('event: ended').length - 1, { timeout: 30_000 }).toBe(520);
    expect(answer.read).toContain('Your session has ended');
    expect(answer.read).not.toContain('HTTP/1.1 4');
    await stillServed();
  });

  it('is none for a link that opens nothing', async () => {
    const answer = await ask('/connect/AAAAAAAAAA.BBBB/live', { times: 3 });
    await expect.poll(() => answer.read.split('event: reload').length - 1).toBe(3);
  });

  it('is one at a time on a connection, and takes the place of no second one', async () => {
    const answer = await ask('/console/live', { times: 250, cookie });
    await begins(answer, ': here');
    await stillServed();
  });

  it('frees its place when the connection closes, also behind another answer', async () => {
    const link = `${new URL(await api.connectUrl('acme')).pathname}/live`;
    for (let round = 0; round < 3; round += 1) {
      const all = await Promise.all(Array.from({ length: 20 }, () => ask(link)));
      for (const one of all) await begins(one, ': here');
      for (const { socket } of all) socket.destroy();
      await delay(100);
    }
    // Closed before the answer that is first in the row had ended.
    const behind = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const one = await ask('/console', { times: 1 });
        one.socket.write(`GET ${link} HTTP/1.1\r\nHost: a\r\n\r\n`);
        return one;
      }),
    );
    for (const { socket } of behind) socket.destroy();
    await delay(300);
    const again = await Promise.all(Array.from({ length: 20 }, () => ask(link)));
    for (const one of again) await begins(one, ': here');
  });

  it('has no place for the 21st page of one tenant, which takes none of the others', async () => {
    const link = `${new URL(await api.connectUrl('acme')).pathname}/live`;
    const before = api.log.length;
    const all = await Promise.all(Array.from({ length: 25 }, () => ask(link)));
    await expect.poll(() => all.filter(({ read }) => read.startsWith('HTTP/1.1 429')).length).toBe(5);
    expect(all.filter(({ read }) => read.startsWith('HTTP/1.1 200'))).toHaveLength(20);
    const refused = all.find(({ read }) => read.startsWith('HTTP/1.1 429'))?.read ?? '';
    expect(refused.toLowerCase()).toContain('retry-after');
    // To refuse one is no failure of ours.
    expect(api.log.slice(before).filter((line) => line.includes('page.failed'))).toEqual([]);
    await stillServed();
  });

  it('takes no place for HEAD', async () => {
    const link = `${new URL(await api.connectUrl('acme')).pathname}/live`;
    const heads = await Promise.all(Array.from({ length: 30 }, () => ask(link, { method: 'HEAD' })));
    for (const one of heads) await begins(one, 'HTTP/1.1 200');
    await begins(await ask(link), ': here');
  });

  it('ends with its session', async () => {
    const mine = await signedIn(api.url, KEYS.vic);
    const answer = await ask('/console/live', { cookie: mine });
    await begins(answer, 'id="group-all"');
    await postForm(`${api.url}/console/sign-out`, {}, { cookie: mine });
    await begins(answer, 'event: ended');
  });
});
