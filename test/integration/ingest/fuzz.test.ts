import { Readable } from 'node:stream';
import fc from 'fast-check';
import { Pool } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MAX_BODY_BYTES } from '../../../src/api/ingest/body.ts';
import { parseEvent } from '../../../src/gladly/events.ts';
import { eventCounts } from '../../../src/store/ledger/counters.ts';
import {
  type Endpoint,
  eventBody,
  type Ground,
  openGround,
  startEndpoint,
  type TestTenant,
} from '../../support/ingest/endpoint.ts';

let ground: Ground;
let endpoint: Endpoint;
let tenant: TestTenant;
beforeAll(async () => {
  ground = await openGround();
  tenant = await ground.tenant();
  // With patience for SQS: where an event is kept depends on its body alone, also when this machine stands still for a moment.
  const patient = { timeoutMs: 30_000, maxWaitMs: 30_000 };
  endpoint = await startEndpoint(ground, { tuning: { batching: patient } });
});
afterAll(async () => {
  await endpoint.close();
  await ground.close();
});

const REQUESTS = 10_000;

const body = fc.oneof(
  { weight: 4, arbitrary: fc.constant(null).map(() => Buffer.from(eventBody())) },
  { weight: 4, arbitrary: fc.json({ maxDepth: 3 }).map((text) => Buffer.from(text)) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 100 }).map((text) => Buffer.from(text)) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('', '{"type":"PING"}', '[', '['.repeat(5_000), '{"id":1,"type":2}')
      .map((text) => Buffer.from(text)),
  },
);
const sized = fc.oneof(
  { weight: 200, arbitrary: body },
  {
    weight: 1,
    arbitrary: fc.constantFrom(MAX_BODY_BYTES - 1, MAX_BODY_BYTES, MAX_BODY_BYTES + 1).map((n) => Buffer.alloc(n, 32)),
  },
);
const path = fc.oneof(
  { weight: 30, arbitrary: fc.constant('right') },
  { weight: 1, arbitrary: fc.string({ maxLength: 60 }).map((text) => encodeURIComponent(text.toWellFormed())) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', '..', '%00', '__proto__', 'constructor', 'x/y', '?a=b', 'A'.repeat(5_000)),
  },
);
const request = fc.record({
  body: sized,
  path,
  query: fc.constantFrom('', '', '', '?', '?a=b'),
  method: fc.constantFrom('POST', 'POST', 'POST', 'POST', 'POST', 'POST', 'PUT', 'DELETE', 'PATCH'),
  key: fc.oneof(
    { weight: 20, arbitrary: fc.constant('right') },
    { weight: 1, arbitrary: fc.string({ maxLength: 100 }).map((text) => text.replace(/[^\x21-\x7e]/g, '')) },
  ),
  contentType: fc.constantFrom(
    'application/json',
    'text/plain',
    '',
    'multipart/form-data; boundary=x',
    'application/json; charset=utf-16',
  ),
  chunked: fc.boolean(),
});

test(`${REQUESTS} requests of every kind: no 5xx, memory flat, every authenticated body stored or answered with a 4xx problem`, async () => {
  const seed = Number(process.env['FUZZ_SEED'] ?? 20_260_105);
  const requests = fc.sample(request, { numRuns: REQUESTS, seed });
  const pool = new Pool(endpoint.url, { connections: 20 });
  const statuses = new Map<number, number>();
  let owed = 0;
  let rssAtHalf = 0;
  let next = 0;
  const worker = async (): Promise<void> => {
    for (;;) {
      const at = next;
      next += 1;
      const one = requests[at];
      if (one === undefined) return;
      if (at === REQUESTS / 2) rssAtHalf = process.memoryUsage.rss();
      const answer = await pool.request({
        method: one.method,
        path: `/webhooks/gladly/${one.path === 'right' ? tenant.tenantId : one.path}${one.query}`,
        headers: { 'x-api-key': one.key === 'right' ? tenant.key : one.key, 'content-type': one.contentType },
        // A stream of unknown length makes undici send chunks.
        body: one.chunked ? Readable.from([one.body]) : one.body,
      });
      const text = await answer.body.text();
      const { statusCode } = answer;
      statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1);
      const isRight = one.path === 'right' && one.key === 'right' && one.method === 'POST';
      const explain = `seed ${seed}, request ${at}: ${statusCode} ${text}`;
      expect(statusCode, explain).toBeLessThan(500);
      if (isRight) expect(statusCode, explain).toBe(one.body.length > MAX_BODY_BYTES ? 413 : 200);
      if (!isRight) expect([401, 405, 413, 429], explain).toContain(statusCode);
      if (statusCode >= 400)
        expect(JSON.parse(text), explain).toMatchObject({ status: statusCode, title: expect.any(String) });
      if (isRight && statusCode === 200 && parseEvent(one.body.toString()).kind !== 'ping') owed += 1;
    }
  };
  await Promise.all(Array.from({ length: 20 }, worker));
  await pool.close();
  const { queue } = await ground.sqs.queues.depths(tenant);
  const { waiting, rejected } = await eventCounts(ground.db, tenant.tenantId);
  // Bodies that are too large for a message are in the ledger, where equal bodies are one row.
  expect(queue.waiting + waiting + rejected).toBeGreaterThan(0.5 * REQUESTS);
  expect(owed - queue.waiting).toBeGreaterThanOrEqual(waiting + rejected);
  expect(owed - queue.waiting).toBeLessThan(40);
  expect(process.memoryUsage.rss() - rssAtHalf).toBeLessThan(100 * 1024 * 1024);
  expect(statuses.get(200)).toBeGreaterThan(0.5 * REQUESTS);
}, 60_000);
