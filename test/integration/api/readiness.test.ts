import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Counter, Registry } from '@prometheus-io/client';
import Koa from 'koa';
import { expect, it, onTestFinished } from 'vitest';
import { healthRoutes } from '../../../src/api/http/health.ts';
import { Readiness } from '../../../src/api/http/readiness.ts';
import type { RequestState } from '../../../src/api/http/request-log.ts';
import { openDb } from '../../../src/store/db.ts';

it('serves live, ready and metrics, and asks a Postgres that is out', async () => {
  const db = openDb('postgres://postgres@127.0.0.1:1/postgres', { max: 1, name: 'gone' });
  onTestFinished(() => db.close());
  const registry = new Registry();
  new Counter({ name: 'seen_total', help: 'x', registers: [registry] }).inc(3);
  const readiness = new Readiness(
    { own: {}, remote: { database: () => db.query('SELECT 1') }, needs: [['database']] },
    { info: () => undefined, warn: () => undefined },
  );
  const app = new Koa<RequestState>().use(healthRoutes(readiness, registry).routes());
  const server = createServer(app.callback()).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const ask = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
    return { status: answer.status, body: await answer.text() };
  };
  expect((await ask('/health/live')).status).toBe(200);
  const ready = await ask('/health/ready');
  expect([ready.status, JSON.parse(ready.body)]).toEqual([
    503,
    { status: 'not_ready', parts: { database: 'unreachable' }, reasons: { database: 'ECONNREFUSED' } },
  ]);
  expect(await ask('/metrics')).toMatchObject({ status: 200, body: expect.stringContaining('seen_total 3') });
});
