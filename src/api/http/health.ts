import Router from '@koa/router';
import type { Registry } from '@prometheus-io/client';
import type { RequestState } from './request-log.ts';

/** Whether each thing that the API cannot work without answers. */
export type Checks = Readonly<Record<string, () => Promise<unknown>>>;

/** A check that has not answered by then has failed, in milliseconds: probes give up after a few seconds themselves. */
const CHECK_MS = 2_000;

/** For probes and scrapers: no key, and nothing of any tenant. */
export function healthRoutes(checks: Checks, metrics: Registry): Router<RequestState> {
  const router = new Router<RequestState>({ sensitive: true });
  router.get('/health/live', (ctx) => {
    ctx.body = { status: 'live' };
  });
  router.get('/health/ready', async (ctx) => {
    const names = Object.keys(checks);
    const answers = await Promise.all(Object.values(checks).map(answersInTime));
    const parts = Object.fromEntries(names.map((name, i) => [name, answers[i] ? 'ok' : 'unreachable']));
    const ready = answers.every(Boolean);
    ctx.status = ready ? 200 : 503;
    ctx.body = { status: ready ? 'ready' : 'not_ready', parts };
  });
  router.get('/metrics', async (ctx) => {
    ctx.type = metrics.contentType;
    ctx.body = await metrics.metrics();
  });
  return router;
}

async function answersInTime(check: () => Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, CHECK_MS, false);
  });
  try {
    return await Promise.race([check().then(() => true), late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
