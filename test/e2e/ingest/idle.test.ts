import { once } from 'node:events';
import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { eventBody, type Ground, openGround, type TestTenant } from '../../support/ingest/endpoint.ts';
import { openFilesAllowed, openIdle } from '../../support/ingest/idle.ts';
import { type Program, runApi } from '../../support/ingest/processes.ts';
import { until } from '../../support/ingest/until.ts';

const WANTED = 10_000;
/** Other open files of this process or the server's. */
const OTHER_FILES = 300;
const IDLE = Math.min(WANTED, openFilesAllowed() - OTHER_FILES);
const DELIVERIES = 100;
/** Limit per connection; 13 kB were measured. */
const MAX_BYTES = 40 * 1024;
/** Of the process whose silent connections end; longer than they take to be opened. */
const KEEP_ALIVE_MS = 10_000;

let ground: Ground;
let tenant: TestTenant;
let api: Program;

beforeAll(async () => {
  ground = await openGround();
  tenant = await ground.tenant();
  api = await runApi(ground.endpoint, ground.url);
});
afterAll(async () => {
  await api.end('SIGKILL');
  await ground.close();
});

interface Held {
  readonly rssBytes: number;
  readonly connections: number;
}

async function held(program = api): Promise<Held> {
  program.process.send('memory');
  const [said] = await once(program.process, 'message');
  return said as Held;
}

/** Sends a delivery on a new connection. */
function deliver(program: Program): Promise<number | undefined> {
  const body = eventBody();
  const headers = { 'x-api-key': tenant.key, 'content-length': body.length, connection: 'close' };
  const path = `/webhooks/gladly/${tenant.tenantId}`;
  return new Promise((resolve, reject) => {
    request({ port: program.port, host: '127.0.0.1', method: 'POST', path, headers, agent: false }, (answer) =>
      resolve(answer.resume().statusCode),
    )
      .once('error', reject)
      .end(body);
  });
}

beforeEach(async () => {
  if (IDLE < WANTED) process.stdout.write(`only ${IDLE} connections: more files may not be open here\n`);
  // Warms up, so that memory for deliveries is not counted for connections.
  await deliverMany();
});

async function deliverMany(program = api): Promise<void> {
  for (let n = 0; n < DELIVERIES; n += 1) expect(await deliver(program)).toBe(200);
}

test(`deliveries get through beside ${IDLE} kept connections, in bounded memory`, { timeout: 60_000 }, async () => {
  const before = await held();
  const idle = await openIdle(api.port, IDLE, 'polite');
  const began = performance.now();
  await deliverMany();
  const each = (performance.now() - began) / DELIVERIES;
  const after = await held();
  // The test shows nothing unless all were open at the same time.
  expect(after.connections).toBeGreaterThanOrEqual(IDLE);
  const bytes = (after.rssBytes - before.rssBytes) / IDLE;
  process.stdout.write(`${IDLE} kept: ${(bytes / 1024).toFixed(1)} kB each, ${each.toFixed(1)} ms a delivery\n`);
  expect(bytes).toBeLessThan(MAX_BYTES);
  for (const socket of idle) socket.destroy();
  await until(async () => (await held()).connections === 0, 20_000);
});

test(`${IDLE} silent connections are ended by the server, and deliveries get through meanwhile`, {
  timeout: 60_000,
}, async () => {
  const impatient = await runApi(ground.endpoint, ground.url, 0, 0, KEEP_ALIVE_MS);
  onTestFinished(() => impatient.end('SIGKILL'));
  const idle = await openIdle(impatient.port, IDLE, 'silent');
  await deliverMany(impatient);
  await until(() => idle.every((socket) => socket.closed), KEEP_ALIVE_MS + 15_000);
  await until(async () => (await held(impatient)).connections === 0, 20_000);
});
