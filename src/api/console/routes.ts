import type Router from '@koa/router';
import { ApiError } from '../../contracts/api-error.ts';
import type { RequestState } from '../http/request-log.ts';
import { pageRouter } from '../pages/error-page.ts';
import { createOnce } from '../pages/once.ts';
import { createAccess } from './access.ts';
import { changeRoutes } from './change-routes.ts';
import type { ConsoleDeps } from './context.ts';
import { listRoutes } from './list-routes.ts';
import { newTenantRoutes } from './new-routes.ts';
import { signInRoutes } from './sign-in.ts';
import { tenantRoutes } from './tenant-routes.ts';

/** How soon the same form with the same fields is a new wish, in milliseconds. */
const FORM_MS = 5_000;
/** A page that shows a key may be loaded anew for this long, and shows the same key. */
const SHOWN_ONCE_MS = 10 * 60_000;

/** The operators' console, at /console. */
export function consoleRoutes(parts: ConsoleDeps): Router<RequestState> {
  const { sessions, config } = parts;
  const router = pageRouter(config.PUBLIC_URL);
  const access = createAccess(sessions, parts.live);
  const context = { ...parts, access, once: createOnce(FORM_MS), shownOnce: createOnce(SHOWN_ONCE_MS) };
  signInRoutes(router, sessions, parts.refusedKeys);
  listRoutes(router, context);
  newTenantRoutes(router, context);
  tenantRoutes(router, context);
  changeRoutes(router, context);
  router.get(
    '/console/*rest',
    access.view(() => {
      throw new ApiError('not_found', 'Check the address, or begin at the list of all tenants, /console.');
    }),
  );
  return router;
}
