import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Counter, Registry } from '@prometheus-io/client';
import Koa from 'koa';
import { expect, it, onTestFinished } from 'vitest';
import { type Checks, healthRoutes } from '../../../src/api/http/health.ts';
import type { RequestState } from '../../../src/api/http/request-log.ts';
import { openDb } from '../../../src/store/db.ts';

const well = () => Promise.resolve();

/** What the routes answer with these checks. */
async function asking(checks: Checks): Promise<(path: string) => Promise<{ status: number; body: string }>> {
  const registry = new Registry();
  new Counter({ name: 'seen_total', help: 'x', registers: [registry] }).inc(3);
  const app = new Koa<RequestState>().use(healthRoutes(checks, registry).routes());
  const server = createServer(app.callback()).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return async (path) => {
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
    return { status: answer.status, body: await answer.text() };
  };
}

it('is ready when every part answers, whatever it answers', async () => {
  const ask = await asking({ database: well, queue: () => Promise.resolve(false) });
  const { status, body } = await ask('/health/ready');
  expect([status, JSON.parse(body)]).toEqual([200, { status: 'ready', parts: { database: 'ok', queue: 'ok' } }]);
});

it('is not ready while a part refuses, breaks before it asks, or does not answer; each is named, and lives all the same', async () => {
  const ask = await asking({
    database: () => Promise.reject(new Error('password of the database')),
    temporal: () => {
      throw new Error('no channel');
    },
    // It never answers, and so the answer below shows that nobody waits for it.
    queue: () => new Promise(() => undefined),
    webhookKeys: well,
  });
  const { status, body } = await ask('/health/ready');
  expect([status, JSON.parse(body)]).toEqual([
    503,
    {
      status: 'not_ready',
      parts: { database: 'unreachable', temporal: 'unreachable', queue: 'unreachable', webhookKeys: 'ok' },
    },
  ]);
  expect((await ask('/health/live')).status).toBe(200);
  expect(await ask('/metrics')).toMatchObject({ status: 200, body: expect.stringContaining('seen_total 3') });
});

it('is ready again as soon as the part is, and a late refusal breaks nothing', async () => {
  let refuseLate: (error: Error) => void = () => undefined;
  let isOut = true;
  const ask = await asking({
    queue: () =>
      isOut
        ? new Promise((_, reject) => {
            refuseLate = reject;
          })
        : well(),
  });
  expect((await ask('/health/ready')).status).toBe(503);
  // Unhandled, it would end the process.
  refuseLate(new Error('the queue is out'));
  isOut = false;
  expect((await ask('/health/ready')).status).toBe(200);
});

it('asks a Postgres that is out, and says so', async () => {
  const db = openDb('postgres://postgres@127.0.0.1:1/postgres', { max: 1, name: 'gone' });
  onTestFinished(() => db.close());
  const ask = await asking({ database: () => db.query('SELECT 1') });
  expect(await ask('/health/ready')).toMatchObject({ status: 503, body: expect.stringContaining('unreachable') });
});
