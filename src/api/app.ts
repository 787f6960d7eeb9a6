import Router from '@koa/router';
import type { Registry } from '@prometheus-io/client';
import Koa from 'koa';
import type { Db } from '../store/db.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Tenants } from '../tenants/commands.ts';
import type { ReadModel } from '../tenants/read-model.ts';
import { type CodecDeps, codecRoutes } from './codec/routes.ts';
import { type ConnectDeps, connectRoutes } from './connect/routes.ts';
import type { ConsoleDeps } from './console/context.ts';
import { consoleRoutes } from './console/routes.ts';
import { feedEndpoints } from './feed/feed-endpoints.ts';
import { serve } from './http/endpoints.ts';
import { healthRoutes } from './http/health.ts';
import { openApi } from './http/openapi.ts';
import type { Operators } from './http/operators.ts';
import type { Readiness } from './http/readiness.ts';
import type { RefusedKeys } from './http/refused-keys.ts';
import { type RequestState, requestLog } from './http/request-log.ts';
import { tenantEndpoints } from './operators/tenant-endpoints.ts';
import { assetRoutes } from './pages/assets.ts';
import type { LiveUpdates } from './pages/live.ts';

export interface AppDeps {
  readonly db: Db;
  readonly tenants: Tenants;
  readonly read: ReadModel;
  readonly operators: Operators;
  readonly refusedKeys: RefusedKeys;
  readonly publicUrl: string;
  readonly readiness: Readiness;
  readonly codec: Omit<CodecDeps, 'refusedKeys'>;
  readonly connect: Pick<ConnectDeps, 'links' | 'extraHosts'>;
  readonly console: Pick<ConsoleDeps, 'config' | 'sessions'>;
  readonly metrics: Registry;
  readonly live: LiveUpdates;
  readonly log: Logger;
}

/** Everything that the API serves besides webhook deliveries, which never get here (ingest/handler.ts). */
export function createApp(parts: AppDeps): Koa<RequestState> {
  const { db, tenants, read, operators, refusedKeys, publicUrl, readiness, codec, connect, metrics, live, log } = parts;
  const forConsole = { ...parts.console, db, tenants, read, live, refusedKeys };
  const endpoints = [...tenantEndpoints(tenants, read), ...feedEndpoints(db, tenants)];
  const document = openApi(endpoints, publicUrl);
  const router = new Router<RequestState>({ sensitive: true });
  router.get('/openapi.json', (ctx) => {
    ctx.body = document;
  });
  serve(router, { operators, refusedKeys }, endpoints);
  const health = healthRoutes(readiness, metrics);

  const app = new Koa<RequestState>();
  app.silent = true;
  // Answers hold keys, links and what customers wrote: whatever may be kept says so itself (pages/assets.ts).
  app.use((ctx, next) => {
    ctx.set({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    return next();
  });
  // Probes and scrapers ask all day, and pages for their files: not in the log.
  app.use(health.routes());
  app.use(assetRoutes().routes());
  app.use(requestLog(log));
  app.use(codecRoutes({ ...codec, refusedKeys }).routes());
  app.use(connectRoutes({ ...connect, db, tenants, read, live, publicUrl }).routes());
  app.use(consoleRoutes(forConsole).routes());
  app.use(router.routes());
  app.use(router.allowedMethods());
  app.on('error', (error: unknown) => log.warn({ event: 'answer.not_sent', err: error }, 'answer: not sent'));
  return app;
}
