import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createHttpServer } from '../../../src/api/http/server.ts';
import { brokenAnswer } from '../../../src/api/ingest/answers.ts';
import {
  deliver,
  type Endpoint,
  eventBody,
  type Ground,
  openGround,
  startEndpoint,
  type TestTenant,
} from '../../support/ingest/endpoint.ts';
import { openRaw, statusOf } from '../../support/ingest/raw.ts';
import { until } from '../../support/ingest/until.ts';

const LIMITS = { headersTimeoutMs: 600, requestTimeoutMs: 1_200, checkIntervalMs: 100, keepAliveMs: 2_500 };
/** Node closes a kept connection a second after it has told the sender that it would, and looks every `checkIntervalMs`. */
const CLOSED_WITHIN_MS = LIMITS.keepAliveMs + 10_000;

let ground: Ground;
let endpoint: Endpoint;
let tenant: TestTenant;

beforeAll(async () => {
  ground = await openGround();
  tenant = await ground.tenant();
  endpoint = await startEndpoint(ground, {}, LIMITS);
});
afterAll(async () => {
  await endpoint.close();
  await ground.close();
});

const head = (more: string, key = tenant.key): string =>
  `POST /webhooks/gladly/${tenant.tenantId} HTTP/1.1\r\nHost: h\r\nx-api-key: ${key}\r\n${more}`;

const delivers = async (): Promise<number> => (await deliver(endpoint, tenant, eventBody())).status;

describe('slow and endless senders', () => {
  test.each([
    ['headers that never end', () => 'POST / HTTP/1.1\r\nA: b\r\n'],
    ['a body that never comes', () => head('Content-Length: 10\r\n\r\n')],
    ['a chunked body that stops', () => head('Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n')],
  ])('%s is told 408 and closed', async (_, text) => {
    const raw = await openRaw(endpoint.port);
    raw.write(text());
    expect(statusOf(await raw.answer())).toBe(408);
    expect(raw.isClosed).toBe(true);
  });

  test('a body that drips in is told 408, however often a byte comes', async () => {
    const raw = await openRaw(endpoint.port);
    raw.write(head('Content-Length: 1000\r\n\r\n'));
    const drip = setInterval(() => raw.write('x'), 50);
    expect(statusOf(await raw.answer())).toBe(408);
    clearInterval(drip);
  });

  test('headers without end by size are 431, by number too many are cut', async () => {
    const raw = await openRaw(endpoint.port);
    raw.write(head(`X-Long: ${'x'.repeat(20_000)}\r\n\r\n`));
    expect(statusOf(await raw.answer())).toBe(431);
  });
});

describe('a connection without a request', () => {
  const delivery = (): string => {
    const body = eventBody();
    return head(`Content-Length: ${body.length}\r\n\r\n${body}`);
  };

  test('that has just been opened may wait for longer than headers may take, and is used then', async () => {
    const raw = await openRaw(endpoint.port);
    await pause(3 * LIMITS.headersTimeoutMs);
    raw.write(delivery());
    await until(() => raw.received().includes('ok'));
    expect(statusOf(raw.received())).toBe(200);
  });

  test('that has just been opened and stays silent is closed without a word', async () => {
    const raw = await openRaw(endpoint.port);
    await until(() => raw.isClosed, CLOSED_WITHIN_MS);
    expect(raw.received()).toBe('');
  });

  test('has no more time for its headers because it was silent before', async () => {
    const raw = await openRaw(endpoint.port);
    await pause(2 * LIMITS.headersTimeoutMs);
    const began = performance.now();
    raw.write('POST / HTTP/1.1\r\nA: b\r\n');
    expect(statusOf(await raw.answer())).toBe(408);
    expect(performance.now() - began).toBeGreaterThan(LIMITS.headersTimeoutMs - 50);
  });

  test('that was used is kept, and closed without a word', async () => {
    const raw = await openRaw(endpoint.port);
    raw.write(delivery());
    await pause(LIMITS.keepAliveMs - 1_000);
    raw.write(delivery());
    await until(() => raw.received().match(/HTTP\/1\.1 200/g)?.length === 2);
    await until(() => raw.isClosed, CLOSED_WITHIN_MS);
    expect(raw.received().match(/HTTP\/1\.1/g)).toHaveLength(2);
  });

  test('is no connection whose first request is answered late', async () => {
    const slow = createHttpServer(
      { brokenAnswer, onRequest: (_, response) => void setTimeout(() => response.end('late'), 1_500) },
      { ...LIMITS, keepAliveMs: 1_000 },
    );
    onTestFinished(() => slow.shutDown({ delayMs: 0, graceMs: 0 }));
    const raw = await openRaw(await slow.listen(0, '127.0.0.1'));
    raw.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await until(() => raw.received().includes('late'));
  });

  test('makes room when connections run short', async () => {
    const crowded = await startEndpoint(ground, {}, { ...LIMITS, keepAliveMs: 600_000, maxConnections: 4 });
    onTestFinished(() => crowded.close());
    const silent = await Promise.all(Array.from({ length: 4 }, () => openRaw(crowded.port)));
    await until(() => silent.some(({ isClosed }) => isClosed));
    expect(silent.map((raw) => raw.received())).toEqual(['', '', '', '']);
  });
});

describe('large bodies', () => {
  test('with Content-Length: 413 before it is read, and the sender reads the answer', async () => {
    const raw = await openRaw(endpoint.port);
    raw.write(head(`Content-Length: ${10 * 1024 * 1024}\r\n\r\n`));
    raw.write(Buffer.alloc(900_000, 'x'));
    const answer = await raw.answer();
    expect(statusOf(answer)).toBe(413);
    expect(answer).toContain('larger than 256 KiB');
  });

  test('chunked: 413 as soon as it is too large, and little more is read', async () => {
    const raw = await openRaw(endpoint.port);
    raw.write(head('Transfer-Encoding: chunked\r\n\r\n'));
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    const endless = setInterval(() => raw.write(chunk), 1);
    expect(statusOf(await raw.answer())).toBe(413);
    clearInterval(endless);
    await until(() => raw.isClosed);
    // What the server read, plus the buffers of both ends.
    expect(raw.socket.bytesWritten).toBeLessThan(16 * 1024 * 1024);
  });

  test('with a wrong key: 401, and the body is not waited for', async () => {
    const raw = await openRaw(endpoint.port);
    raw.write(head(`Content-Length: ${10 * 1024 * 1024}\r\n\r\n`, 'wrong'));
    const answer = await raw.answer();
    expect(statusOf(answer)).toBe(401);
  });
});

describe('malformed requests', () => {
  test.each([
    ['garbage', '\u0000\u0001\u0002 nonsense\r\n\r\n', 400],
    ['TLS where there is none', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000', 400],
    ['two lengths', () => head('Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc'), 400],
    ['a length and chunks', () => head('Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc'), 400],
    ['a negative length', () => head('Content-Length: -1\r\n\r\n'), 400],
    ['an invalid chunk size', () => head('Transfer-Encoding: chunked\r\n\r\nZZ\r\n'), 400],
    ['two keys', () => head(`x-api-key: ${tenant.key}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`), 401],
  ])('%s', async (_, given, status) => {
    const raw = await openRaw(endpoint.port);
    raw.write(typeof given === 'string' ? given : given());
    expect(statusOf(await raw.answer())).toBe(status);
    expect(await delivers()).toBe(200);
  });

  test('a sender that hangs up in the middle is no delivery', async () => {
    const raw = await openRaw(endpoint.port);
    raw.write(head('Content-Length: 100\r\n\r\n{"half":'));
    await pause(50);
    raw.socket.destroy();
    await until(async () => (await endpoint.registry.metrics()).includes('count{outcome="hung_up"} '));
    expect(await delivers()).toBe(200);
  });

  test('a sender that hangs up after its body has delivered it', async () => {
    const before = await endpoint.registry.metrics();
    const count = (text: string): number => Number(/count\{outcome="queued"\} (\d+)/.exec(text)?.[1] ?? 0);
    const body = eventBody();
    const raw = await openRaw(endpoint.port);
    raw.socket.end(head(`Content-Length: ${body.length}\r\n\r\n${body}`));
    await until(async () => count(await endpoint.registry.metrics()) === count(before) + 1);
  });

  test('two deliveries in one packet are two', async () => {
    const [one, two] = [eventBody(), eventBody()];
    const raw = await openRaw(endpoint.port);
    raw.write(
      head(
        `Content-Length: ${one.length}\r\n\r\n${one}${head(`Content-Length: ${two.length}\r\nConnection: close\r\n\r\n${two}`)}`,
      ),
    );
    expect((await raw.answer()).match(/HTTP\/1\.1 200/g)).toHaveLength(2);
  });
});

describe('a flood of wrong keys from one address', () => {
  test('gets short answers, is remembered in little memory, and right keys get through from that address', async () => {
    // With the time that senders have: a thousand connections at once are slow on a busy machine.
    const patient = await startEndpoint(ground);
    onTestFinished(() => patient.close());
    const flood = Array.from({ length: 1_000 }, () => deliver(patient, { ...tenant, key: 'wrong' }, eventBody()));
    const right = Array.from({ length: 50 }, async () => (await deliver(patient, tenant, eventBody())).status);
    const statuses = (await Promise.all(flood)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
    expect(statuses.filter((status) => status === 401).length).toBeLessThan(200);
    expect(await Promise.all(right)).toEqual(right.map(() => 200));
  });
});
