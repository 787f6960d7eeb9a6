import Koa from 'koa';
import { healthRoutes } from '../api/http/health.ts';
import { type RequestState, requestLog } from '../api/http/request-log.ts';
import type { Config } from '../config.ts';
import type { Logger } from '../telemetry/log.ts';
import { openDeliveries, type RunningServer } from './deliveries.ts';

/**
 * Starts the webhook endpoint alone, with health and metrics, in this process. It starts and serves whatever of Postgres, SQS and Temporal is out.
 * Throws when the port is taken, and what migrations throw that time does not heal.
 */
export function startIngest(config: Config, log: Logger): Promise<RunningServer> {
  const deliveries = openDeliveries(config, log);
  const app = new Koa<RequestState>();
  app.silent = true;
  app.use(healthRoutes(deliveries.readiness, deliveries.registry).routes());
  app.use(requestLog(log));
  app.on('error', (error: unknown) => log.warn({ event: 'answer.not_sent', err: error }, 'answer: not sent'));
  const others = app.callback();
  return deliveries.serve((request, response) => void others(request, response));
}
