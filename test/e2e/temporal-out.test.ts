import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { World } from '../../bench/support/world.ts';
import type { Pipeline } from '../support/pipeline.ts';

/** An answer of the real API, and how long it took in ms. */
interface Answer {
  readonly status: number;
  readonly text: string;
  readonly retryAfter: string | null;
  readonly ms: number;
}

const statusSchema = z.object({
  asOf: z.string().nullable(),
  out: z.string().nullable(),
  extraction: z.object({ state: z.string() }),
});

let world: World;
let demo: Pipeline;
let cookie = '';
let connectPath = '';

async function ask(
  path: string,
  { method = 'GET', body, key = false }: { method?: string; body?: object; key?: boolean } = {},
): Promise<Answer> {
  const { api, operatorKey } = world.places();
  const began = performance.now();
  const answer = await fetch(api + path, {
    method,
    headers: {
      ...(key ? { authorization: `Bearer ${operatorKey}` } : { cookie }),
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
    redirect: 'manual',
    signal: AbortSignal.timeout(15_000),
  });
  const text = await answer.text();
  return { status: answer.status, text, retryAfter: answer.headers.get('retry-after'), ms: performance.now() - began };
}

async function signIn(): Promise<string> {
  const { api, operatorKey } = world.places();
  const answer = await fetch(`${api}/console/sign-in`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: api },
    body: new URLSearchParams({ key: operatorKey }),
    redirect: 'manual',
  });
  return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

beforeAll(async () => {
  world = await World.start();
  demo = world.pipeline();
  cookie = await signIn();
  const { connectUrl } = z
    .object({ connectUrl: z.string() })
    .parse(JSON.parse((await ask('/v1/tenants/demo', { key: true })).text));
  connectPath = new URL(connectUrl).pathname;
}, 180_000);
afterAll(() => world?.end());

/** Everything that people look at answers in time, says as of when it is known, and claims nothing that is not. */
async function looksTrue(since: Date): Promise<void> {
  for (const path of ['/console', '/console/tenants/demo', '/console/tenants/demo/steps', connectPath]) {
    const page = await ask(path);
    expect(page, path).toMatchObject({ status: 200 });
    expect(page.ms, path).toBeLessThan(1_000);
    expect(page.text, path).toContain('id="as-of"');
    expect(page.text, path).not.toContain('Not known');
  }
  const list = await ask('/v1/tenants', { key: true });
  expect(list).toMatchObject({ status: 200 });
  expect(list.ms).toBeLessThan(1_000);
  const one = await ask('/v1/tenants/demo', { key: true });
  expect(one.ms).toBeLessThan(1_000);
  const { asOf, out } = statusSchema.parse(JSON.parse(one.text));
  expect(out).toBe('temporal');
  // As of the last time at which it answered: a probe that was under way may have been answered still.
  expect(Date.parse(asOf ?? '')).toBeLessThan(since.getTime() + 1_000);
  expect(JSON.parse(list.text)).toMatchObject({ out: 'temporal', asOf });
}

/** Not known whether it was done, said within the deadline, and not claimed in either direction. */
async function mayBeDone(reason: string): Promise<void> {
  const answer = await ask('/v1/tenants/demo/pause', { method: 'POST', body: { reason }, key: true });
  expect(answer).toMatchObject({ status: 503, retryAfter: expect.any(String) });
  expect(answer.ms).toBeLessThan(4_500);
  expect(JSON.parse(answer.text)).toMatchObject({
    code: 'temporal_unavailable',
    detail: expect.stringContaining('may still be done'),
  });
}

/** Until what people see says that Temporal is out. */
async function untilNoticed(): Promise<void> {
  await demo.when('it is noticed', ({ out }) => out === 'temporal', 30_000);
}

describe('Temporal is out', { timeout: 180_000 }, () => {
  test('hung (SIGSTOP): pages and status stay quick and true, a pause may still be done, and is', async () => {
    const pid = world.pidOf('temporal');
    if (pid === undefined) throw new Error('no Temporal');
    process.kill(pid, 'SIGSTOP');
    const since = new Date();
    try {
      await mayBeDone('during a hang');
      await untilNoticed();
      await looksTrue(since);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    // Whether it was done is seen by itself; asked for once more it is done for certain, and twice is once.
    await demo.when('it answers again', ({ out }) => out === null, 30_000);
    expect(
      (await ask('/v1/tenants/demo/pause', { method: 'POST', body: { reason: 'once more' }, key: true })).status,
    ).toBe(202);
    await demo.when('paused', ({ extraction }) => extraction?.state === 'paused', 10_000);
    expect((await ask('/v1/tenants/demo/resume', { method: 'POST', key: true })).status).toBe(202);
    await demo.when('runs again', ({ extraction }) => extraction?.state !== 'paused', 10_000);
  });

  test('killed, and back: the same, and all is right again by itself', async () => {
    const pid = world.pidOf('temporal');
    if (pid === undefined) throw new Error('no Temporal');
    // The supervisor starts it again at once; held back, it is out for a while.
    process.kill(pid, 'SIGKILL');
    const again = await untilPid((found) => found !== pid);
    process.kill(again, 'SIGSTOP');
    const since = new Date();
    try {
      await mayBeDone('while it is dead');
      await untilNoticed();
      await looksTrue(since);
    } finally {
      process.kill(again, 'SIGCONT');
    }
    await demo.when('it answers again', ({ out }) => out === null, 60_000);
    expect((await ask('/console')).text).not.toContain('id="as-of"');
    await ask('/v1/tenants/demo/resume', { method: 'POST', key: true });
    await demo.emit(20);
    await demo.when(
      'events are extracted again',
      ({ events, extraction }) => events.extracted >= 20 && extraction?.state !== 'paused',
      60_000,
    );
  });
});

async function untilPid(wanted: (pid: number) => boolean): Promise<number> {
  for (let n = 0; n < 300; n += 1) {
    const pid = world.pidOf('temporal');
    if (pid !== undefined && wanted(pid)) return pid;
    await sleep(50);
  }
  throw new Error('Temporal is not started again');
}
