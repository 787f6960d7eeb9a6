import type Router from '@koa/router';
import type { ListQuery } from '../../tenants/read-model.ts';
import { GROUPS } from '../../tenants/standing.ts';
import type { ApiContext } from '../http/endpoints.ts';
import type { RequestState } from '../http/request-log.ts';
import { sendPage } from '../pages/respond.ts';
import { ENDED } from './access.ts';
import type { ConsoleContext } from './context.ts';
import { listMain, tenantList } from './list-page.ts';
import { consolePage } from './tenant-frame.ts';

/** How often an open list is looked at. */
const LOOK_MS = 1_500;

export function listRoutes(router: Router<RequestState>, { access, read, live, sessions }: ConsoleContext): void {
  router.get(
    '/console',
    access.view(async (ctx, operator) => {
      const query = queryOf(ctx);
      const page = await read.list(query);
      sendPage(
        ctx,
        consolePage({
          title: 'Tenants',
          operator,
          main: listMain(page, query),
          assets: ['console.js'],
        }),
      );
    }),
  );

  router.get(
    '/console/live',
    access.stream((ctx, { name }) => {
      const query = queryOf(ctx);
      live.follow(ctx, { kind: 'operator', id: name }, async () => {
        if (!(await sessions.operatorOf(ctx.req))) return ENDED;
        return { show: tenantList(await read.list(query), query), nextMs: LOOK_MS };
      });
    }),
  );
}

function queryOf(ctx: ApiContext): ListQuery {
  const { search, show, page } = ctx.query;
  return {
    search: typeof search === 'string' ? search.slice(0, 100) : '',
    group: GROUPS.find((group) => group === show) ?? null,
    page: typeof page === 'string' && /^\d{1,6}$/.test(page) ? Number(page) : 1,
  };
}
