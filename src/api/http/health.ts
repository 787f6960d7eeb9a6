import Router from '@koa/router';
import type { Registry } from '@prometheus-io/client';
import type { Readiness } from './readiness.ts';
import type { RequestState } from './request-log.ts';

/** For probes and scrapers: no key, and nothing of any tenant. */
export function healthRoutes(readiness: Readiness, metrics: Registry): Router<RequestState> {
  const router = new Router<RequestState>({ sensitive: true });
  router.get('/health/live', (ctx) => {
    ctx.body = { status: 'live' };
  });
  router.get('/health/ready', async (ctx) => {
    const answer = await readiness.look();
    ctx.status = answer.status === 'not_ready' ? 503 : 200;
    ctx.body = answer;
  });
  router.get('/metrics', async (ctx) => {
    ctx.type = metrics.contentType;
    ctx.body = await metrics.metrics();
  });
  return router;
}
