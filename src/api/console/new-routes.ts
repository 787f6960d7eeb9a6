import { randomUUID } from 'node:crypto';
import type Router from '@koa/router';
import { z } from 'zod';
import { ApiError } from '../../contracts/api-error.ts';
import { RETENTION_DAYS, TENANT_ID } from '../../contracts/tenant.ts';
import type { RequestState } from '../http/request-log.ts';
import { seeOther } from '../pages/forms.ts';
import { sendPage } from '../pages/respond.ts';
import type { ConsoleContext } from './context.ts';
import { madeTenantMain, newTenantMain } from './new-page.ts';
import { consolePage } from './tenant-frame.ts';

const TITLE = 'Connect a tenant';

const newTenant = z.object({
  mark: z.string().max(100).default(''),
  name: z.string().min(1, 'Enter a name.').max(200),
  tenantId: z.string().regex(TENANT_ID, 'Use 1 to 40 small letters, digits and dashes, with no dash at the ends.'),
  retentionDays: z.coerce
    .number()
    .int()
    .min(RETENTION_DAYS.min, 'Enter 1 to 14 days.')
    .max(RETENTION_DAYS.max, 'Enter 1 to 14 days.'),
});

export function newTenantRoutes(router: Router<RequestState>, { access, tenants, shownOnce }: ConsoleContext): void {
  router.get(
    '/console/new',
    access.view((ctx, operator) => {
      if (operator.role === 'viewer') return seeOther(ctx, '/console');
      sendPage(ctx, consolePage({ title: TITLE, operator, main: newTenantMain(randomUUID()) }));
    }),
  );

  router.post(
    '/console/new',
    access.change(newTenant, async (ctx, operator, given) => {
      if (!given.ok) {
        const main = newTenantMain(given.given['mark'] ?? '', given.errors, given.given);
        sendPage(ctx, consolePage({ title: TITLE, operator, main }), 422);
        return;
      }
      const { mark, ...tenant } = given.values;
      try {
        const made = await shownOnce.run('new', { mark, ...tenant, by: operator.name }, () =>
          tenants.create({ ...tenant, webhookSetup: 'by_hand', startPaused: false }, operator.name),
        );
        sendPage(ctx, consolePage({ title: TITLE, operator, main: madeTenantMain(made) }), 201);
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== 'tenant_exists') throw error;
        const errors = [{ field: 'tenantId', message: error.message }];
        const typed = { ...tenant, retentionDays: String(tenant.retentionDays) };
        sendPage(ctx, consolePage({ title: TITLE, operator, main: newTenantMain(mark, errors, typed) }), 409);
      }
    }),
  );
}
