import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { DeleteQueueCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createKeySource } from '../../../src/api/ingest/key-source.ts';
import { createWaker } from '../../../src/api/ingest/waker.ts';
import { decodeDelivery } from '../../../src/queue/envelope.ts';
import { createLeanTransport } from '../../../src/queue/lean-transport.ts';
import { beginDrain, drainStates, markParked } from '../../../src/store/drains.ts';
import { eventCounts } from '../../../src/store/ledger/counters.ts';
import { rejectedEvents } from '../../../src/store/ledger/rejected.ts';
import { waitingEvents } from '../../../src/store/ledger/waiting.ts';
import { listSightings } from '../../../src/store/sightings.ts';
import { issueWebhookKey, liveWebhookKeys, revokeWebhookKey } from '../../../src/store/webhook-keys.ts';
import { freePort } from '../../support/free-port.ts';
import {
  deliver,
  type Endpoint,
  eventBody,
  type Ground,
  openGround,
  startEndpoint,
  type TestTenant,
} from '../../support/ingest/endpoint.ts';
import { until } from '../../support/ingest/until.ts';
import { receiveAll } from '../../support/queue/queues.ts';

let ground: Ground;
let endpoint: Endpoint;
let tenant: TestTenant;

beforeAll(async () => {
  ground = await openGround();
  tenant = await ground.tenant();
  endpoint = await startEndpoint(ground);
});
afterAll(async () => {
  await endpoint.close();
  await ground.close();
});

const queued = async (queue: string): Promise<(string | undefined)[]> =>
  (await receiveAll(ground.sqs.receiver, queue)).map(({ body }) => decodeDelivery(body)?.body.toString());

describe('an event with a right key', () => {
  test('is 200, and in the queue as it came', async () => {
    const body = ` ${eventBody()}\n`;
    const answer = await deliver(endpoint, tenant, body);
    expect(answer.status).toBe(200);
    expect(await queued(tenant.queue)).toEqual([body]);
  });

  test.each([
    ['not JSON', 'hello'],
    ['empty', ''],
    ['an array', '[1]'],
    ['no event', '{"a":1}'],
    ['an unknown type', eventBody({ type: 'SOMETHING/NEW' })],
    ['an emoji', eventBody({ content: { conversationId: 'c', text: '\u{1F600}' } })],
  ])('%s is stored nevertheless', async (_, body) => {
    expect((await deliver(endpoint, tenant, body)).status).toBe(200);
    expect(await queued(tenant.queue)).toEqual([body]);
  });

  test('wakes a parked tenant once, and only then', async () => {
    const { tenantId, ...own } = await ground.tenant();
    await endpoint.ingest.keys.refresh();
    const fence = await beginDrain(ground.db, tenantId, 'test');
    await markParked(ground.db, tenantId, fence);
    for (let n = 0; n < 5; n += 1)
      expect((await deliver(endpoint, { tenantId, ...own }, eventBody())).status).toBe(200);
    await until(() => ground.woken.includes(tenantId));
    // These notify the waker too, but the mark is cleared already.
    for (let n = 0; n < 3; n += 1) await deliver(endpoint, { tenantId, ...own }, eventBody());
    await pause(150);
    expect((await drainStates(ground.db, [tenantId])).get(tenantId)?.parkedAt).toBeNull();
    expect(ground.woken.filter((woken) => woken === tenantId)).toHaveLength(1);
  });
});

describe('a wake that fails', () => {
  test('is tried again although the mark is cleared', async () => {
    const parked = await ground.tenant();
    await markParked(ground.db, parked.tenantId, await beginDrain(ground.db, parked.tenantId, 'test'));
    let fails = 2;
    const woken: string[] = [];
    const wake = async (tenantId: string): Promise<void> => {
      fails -= 1;
      if (fails >= 0) throw new Error('Temporal is out');
      woken.push(tenantId);
    };
    const flaky = await startEndpoint(ground, { waker: createWaker(ground.db, wake) });
    expect((await deliver(flaky, parked, eventBody())).status).toBe(200);
    await until(() => woken.length > 0);
    expect(woken).toEqual([parked.tenantId]);
    await flaky.close();
  });
});

describe('a PING', () => {
  test('is exactly 200, is recorded soon, and is no event', async () => {
    const pinged = await ground.tenant();
    const answer = await deliver(endpoint, pinged, '{"type":"PING"}');
    expect(answer.status).toBe(200);
    await until(async () => (await listSightings(ground.db, pinged.tenantId)).length > 0);
    const [sighting] = await listSightings(ground.db, pinged.tenantId);
    expect(sighting).toMatchObject({ type: 'PING', keyId: pinged.keyId, count: 1 });
    expect(endpoint.news).toContain(pinged.tenantId);
    expect(await queued(pinged.queue)).toEqual([]);
  });
});

describe('keys', () => {
  test('a wrong key and an unknown tenant get the same answer, and nothing is stored', async () => {
    const wrong = await deliver(endpoint, { ...tenant, key: 'wrong' }, eventBody());
    const unknown = await deliver(endpoint, { tenantId: 'unknown', key: tenant.key }, eventBody());
    expect([wrong.status, unknown.status]).toEqual([401, 401]);
    expect(wrong.headers.get('content-type')).toBe('application/problem+json');
    expect(await wrong.json()).toEqual(await unknown.json());
    expect(await queued(tenant.queue)).toEqual([]);
    await until(async () => (await listSightings(ground.db, tenant.tenantId)).some(({ type }) => type === 'wrong_key'));
  });

  test('a key issued by another process works immediately, a revoked one stops', async () => {
    const { keyId, key } = await issueWebhookKey(ground.db, tenant.tenantId);
    expect((await deliver(endpoint, { ...tenant, key }, eventBody())).status).toBe(200);
    expect((await deliver(endpoint, tenant, eventBody())).status).toBe(200);
    await revokeWebhookKey(ground.db, tenant.tenantId, keyId);
    await until(async () => (await deliver(endpoint, { ...tenant, key }, eventBody())).status === 401);
    expect((await deliver(endpoint, tenant, eventBody())).status).toBe(200);
    await queued(tenant.queue);
  });

  test('the first use of a new key ends the one it replaces', async () => {
    const changing = await ground.tenant();
    const next = await issueWebhookKey(ground.db, changing.tenantId, { until: new Date(Date.now() + 60_000) });
    expect((await deliver(endpoint, changing, eventBody())).status).toBe(200);
    expect((await deliver(endpoint, { ...changing, key: next.key }, eventBody())).status).toBe(200);
    await until(async () => (await liveWebhookKeys(ground.db, changing.tenantId, new Date())).length === 1);
    await until(async () => (await deliver(endpoint, changing, eventBody())).status === 401);
  });

  test('deliveries of a tenant without a queue go into the ledger', async () => {
    const without = await ground.tenant();
    await ground.db.query('UPDATE tenants SET queue_url = NULL WHERE tenant_id = $1', [without.tenantId]);
    expect((await deliver(endpoint, without, eventBody())).status).toBe(200);
    expect((await eventCounts(ground.db, without.tenantId)).waiting).toBe(1);
  });
});

describe('a delivery that came through somebody else', () => {
  const headers = (): Record<string, string> => ({ 'content-type': 'application/json', 'x-api-key': tenant.key });
  const post = (more: Record<string, string>, body: string | Uint8Array): Promise<Response> =>
    fetch(`${endpoint.url}/webhooks/gladly/${tenant.tenantId}`, {
      method: 'POST',
      headers: { ...headers(), ...more },
      body,
    });

  test('with a byte order mark is what it would be without', async () => {
    const body = `\uFEFF${eventBody()}`;
    expect((await deliver(endpoint, tenant, body)).status).toBe(200);
    expect(await queued(tenant.queue)).toEqual([body]);
    const pinged = await ground.tenant();
    expect((await deliver(endpoint, pinged, '\uFEFF{"type":"PING"}')).status).toBe(200);
    expect(await queued(pinged.queue)).toEqual([]);
  });

  test('compressed is stored as what it was; a bomb is 413, and an encoding that nobody here knows 415', async () => {
    const body = eventBody();
    for (const [encoding, bytes] of [
      ['gzip', gzipSync(body)],
      ['br', brotliCompressSync(body)],
    ] as const) {
      expect((await post({ 'content-encoding': encoding }, bytes)).status).toBe(200);
      expect(await queued(tenant.queue)).toEqual([body]);
    }
    expect((await post({ 'content-encoding': 'gzip' }, gzipSync(Buffer.alloc(50_000_000)))).status).toBe(413);
    const unknown = await post({ 'content-encoding': 'zstd' }, 'x');
    expect([unknown.status, unknown.headers.get('accept-encoding')]).toEqual([415, 'gzip, deflate, br']);
    expect((await post({ 'content-encoding': 'zstd', 'x-api-key': 'wrong' }, 'x')).status).toBe(401);
    expect(await queued(tenant.queue)).toEqual([]);
  });

  test('with others in an array is one of several, in the queue and in the ledger', async () => {
    const [one, two, three] = [eventBody(), eventBody(), eventBody()];
    expect((await deliver(endpoint, tenant, `[${one}, ${two},{"type":"PING"}]`)).status).toBe(200);
    expect((await queued(tenant.queue)).sort()).toEqual([one, two].sort());
    const without = await ground.tenant();
    await ground.db.query('UPDATE tenants SET queue_url = NULL WHERE tenant_id = $1', [without.tenantId]);
    // Sent again together with a new one, each is there once.
    for (const body of [`[${one},${two}]`, `[${two},${three}]`])
      expect((await deliver(endpoint, without, body)).status).toBe(200);
    expect(await eventCounts(ground.db, without.tenantId)).toMatchObject({ waiting: 3, rejected: 0 });
  });

  test('is refused as a whole when one of several can be kept nowhere', async () => {
    const gone = `http://127.0.0.1:${await freePort()}`;
    let puts = 0;
    const flaky = await startEndpoint(ground, {
      transport: createLeanTransport({ client: ground.sqs.clients.control, endpoint: gone }),
      ledger: {
        put: async (rows) => {
          puts += rows.length;
          return rows.map((_, n) => n > 0);
        },
      },
    });
    expect((await deliver(flaky, tenant, `[${eventBody()},${eventBody()}]`)).status).toBe(503);
    expect(puts).toBe(2);
    await flaky.close();
  });

  test.each(['http://example.com', 'HTTPS://example.com:8443', ''])(
    'is found at the target %s/webhooks/…',
    async (origin) => {
      const body = eventBody();
      const answer = await new Promise<number | undefined>((resolve, reject) => {
        const path = `${origin}/webhooks/gladly/${tenant.tenantId}?x=1`;
        request({ port: endpoint.port, method: 'POST', path, headers: headers() }, (found) =>
          resolve(found.resume().statusCode),
        )
          .once('error', reject)
          .end(body);
      });
      expect(answer).toBe(200);
      expect(await queued(tenant.queue)).toEqual([body]);
    },
  );

  test.each([
    ['203.0.113.7', '203.0.113.7'],
    ['203.0.113.8:40001', '203.0.113.8:40002'],
    ['[2001:db8::1]:40001', '[2001:db8::1]:40002'],
    ['[2001:db8:0:1::1]', '2001:db8:0:1::2'],
  ])('from %s is of the same sender as from %s, for the limit on wrong keys', async (one, other) => {
    const behind = await startEndpoint(ground, { proxies: 1, tuning: { flood: { burst: 2, perSecond: 0 } } });
    const statuses = [];
    for (const from of [one, other, one, other]) {
      const answer = await fetch(`${behind.url}/webhooks/gladly/${tenant.tenantId}`, {
        method: 'POST',
        headers: { 'x-api-key': 'wrong', 'x-forwarded-for': `10.0.0.1, ${from}` },
        body: '{}',
      });
      statuses.push(answer.status);
    }
    expect(statuses).toEqual([401, 401, 429, 429]);
    await behind.close();
  });
});

describe('what is not a delivery', () => {
  test('another method is 405 and says which', async () => {
    const answer = await fetch(`${endpoint.url}/webhooks/gladly/${tenant.tenantId}`);
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('POST');
  });

  test('another path is left to others', async () => {
    expect(await (await fetch(`${endpoint.url}/v1/tenants`)).text()).toBe('not ours');
  });

  test('over 256 KiB is 413, to the byte; as much as that is kept', async () => {
    const limit = 256 * 1024;
    const large = eventBody().padEnd(limit);
    expect((await deliver(endpoint, tenant, large)).status).toBe(200);
    expect((await deliver(endpoint, tenant, `${large} `)).status).toBe(413);
    // With its envelope it is too large for a message, so it is in the ledger.
    expect(await queued(tenant.queue)).toEqual([]);
    expect((await eventCounts(ground.db, tenant.tenantId)).waiting).toBe(1);
  });
});

describe('SQS is out', () => {
  test('deliveries go into the ledger, and what is no event is rejected there', async () => {
    const stranded = await ground.tenant();
    const gone = `http://127.0.0.1:${await freePort()}`;
    const without = await startEndpoint(ground, {
      transport: createLeanTransport({ client: ground.sqs.clients.control, endpoint: gone }),
    });
    const bodies = Array.from({ length: 30 }, () => eventBody({ content: { conversationId: 'stranded' } }));
    const answers = await Promise.all(
      [...bodies, bodies[0] ?? '', 'no json'].map((body) => deliver(without, stranded, body)),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const waiting = await waitingEvents(ground.db, stranded.tenantId, ['stranded']);
    expect(waiting.get('stranded')).toHaveLength(30);
    expect(await rejectedEvents(ground.db, stranded.tenantId, { limit: 10 })).toMatchObject([{ reason: 'not_json' }]);
    const metrics = await without.registry.metrics();
    expect(metrics).toContain('ingest_delivery_seconds_count{outcome="ledgered"} 32');
    expect(metrics).toContain('ingest_breaker_open 1');
    await without.close();
  });

  test('SQS answers, and refuses all: deliveries go into the ledger, it is told once, and SQS is left alone', async () => {
    let calls = 0;
    const refusing = createServer((_, response) => {
      calls += 1;
      response.writeHead(403).end('{"__type":"com.amazonaws.sqs#InvalidSignatureException"}');
    });
    await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void refusing.close());
    const log: object[] = [];
    const { port } = refusing.address() as AddressInfo;
    const denied = await startEndpoint(ground, {
      transport: createLeanTransport({ client: ground.sqs.clients.control, endpoint: `http://127.0.0.1:${port}` }),
      log: { info: () => undefined, warn: (fields) => void log.push(fields) },
    });
    onTestFinished(() => denied.close());
    const refused = await ground.tenant();
    await denied.ingest.keys.refresh();
    for (let n = 0; n < 10; n += 1) expect((await deliver(denied, refused, eventBody())).status).toBe(200);
    expect((await eventCounts(ground.db, refused.tenantId)).waiting).toBe(10);
    // Five open the breaker; on a slow machine one more try may follow.
    expect(calls).toBeLessThan(8);
    expect(log).toMatchObject([
      { event: 'sqs.denied', code: 'InvalidSignatureException' },
      { event: 'sqs.breaker_opened' },
    ]);
    const metrics = await denied.registry.metrics();
    expect(metrics).toMatch(/ingest_sqs_failures_total\{kind="denied",code="InvalidSignatureException"\} [567]\n/);
    expect(metrics).toMatch(/ingest_breaker_open (1|0\.5)\n/);
  });

  test('a queue that SQS refuses is told: counted by code, and one line of the log a tenant and minute', async () => {
    const tenants = [await ground.tenant(), await ground.tenant()];
    const lines: object[] = [];
    const log = { info: () => undefined, warn: (fields: object) => void lines.push(fields) };
    const refused = await startEndpoint(ground, { log });
    for (const { queue } of tenants) await ground.sqs.clients.control.send(new DeleteQueueCommand({ QueueUrl: queue }));
    for (const one of tenants) {
      for (let n = 0; n < 10; n += 1) expect((await deliver(refused, one, eventBody())).status).toBe(200);
    }
    const metrics = await refused.registry.metrics();
    expect(metrics).toContain('ingest_sqs_failures_total{kind="refused",code="QueueDoesNotExist"} 20');
    expect(lines).toMatchObject(
      tenants.map(({ tenantId }) => ({ event: 'queue.refused', tenantId, code: 'QueueDoesNotExist' })),
    );
    await refused.close();
  });

  test('the ledger fails as well: 503 with Retry-After', async () => {
    const stranded = await ground.tenant();
    const gone = `http://127.0.0.1:${await freePort()}`;
    const without = await startEndpoint(ground, {
      transport: createLeanTransport({ client: ground.sqs.clients.control, endpoint: gone }),
      ledger: { put: () => Promise.reject(new Error('out')) },
    });
    const answer = await deliver(without, stranded, eventBody());
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('30');
    expect(await answer.json()).toMatchObject({ status: 503, code: 'nowhere_to_keep' });
    await without.close();
  });
});

describe('Postgres is out', () => {
  test('known keys go on working; a process that has just started answers 503, not 401', async () => {
    let out = false;
    const real = ground.db;
    const failing = <T>(work: () => Promise<T>): Promise<T> => (out ? Promise.reject(new Error('out')) : work());
    const db = {
      query: <R extends object>(sql: string, params?: Parameters<typeof real.query>[1]) =>
        failing(() => real.query<R>(sql, params)),
      transaction: <T>(fn: Parameters<typeof real.transaction<T>>[0]) => failing(() => real.transaction(fn)),
      close: () => real.close(),
    };
    const before = await startEndpoint(ground, { keySource: createKeySource(db) });
    out = true;
    const after = await startEndpoint(ground, { keySource: createKeySource(db) });
    expect((await deliver(before, tenant, eventBody())).status).toBe(200);
    expect((await deliver(before, { ...tenant, key: 'wrong' }, eventBody())).status).toBe(401);
    // More than the 20 wrong keys that one address may send: none of these is known to be wrong.
    const early = await Promise.all(
      Array.from({ length: 60 }, (_, n) =>
        deliver(after, n % 2 === 0 ? tenant : { ...tenant, key: 'wrong' }, eventBody()),
      ),
    );
    expect(new Set(early.map((answer) => answer.status))).toEqual(new Set([503]));
    expect(new Set(early.map((answer) => answer.headers.get('retry-after')))).toEqual(new Set(['30']));
    out = false;
    await until(async () => (await deliver(after, tenant, eventBody())).status === 200);
    expect((await deliver(after, { ...tenant, key: 'wrong' }, eventBody())).status).toBe(401);
    await Promise.all([before.close(), after.close()]);
  });
});
