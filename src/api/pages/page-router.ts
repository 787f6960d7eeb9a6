import Router from '@koa/router';
import type { RequestState } from '../http/request-log.ts';
import { errorPages } from './error-page.ts';
import { pageHeaders } from './security.ts';

/** A router whose answers are pages: with their headers, and with what is thrown shown as a page. */
export function pageRouter(publicUrl: string): Router<RequestState> {
  const router = new Router<RequestState>();
  router.use(pageHeaders(publicUrl), errorPages);
  return router;
}
