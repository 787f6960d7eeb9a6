import type Router from '@koa/router';
import { z } from 'zod';
import { ApiError } from '../../contracts/api-error.ts';
import { RETENTION_DAYS, type TenantId } from '../../contracts/tenant.ts';
import type { ApiContext } from '../http/endpoints.ts';
import { EVENT_IDS } from '../http/input.ts';
import type { Operator } from '../http/operators.ts';
import type { RequestState } from '../http/request-log.ts';
import { type FormResult, fromJson, seeOther } from '../pages/forms.ts';
import { sendPage } from '../pages/respond.ts';
import type { ConsoleContext } from './context.ts';
import { discardedNote, redrivenNote } from './rejected-page.ts';
import { newKeyView } from './settings-page.ts';
import { refusedNote, tenantAddress, tenantPage } from './tenant-frame.ts';
import { sendNow, sendRejected, sendSettings, tenantOf, viewOf } from './tenant-routes.ts';

const reason = z.string().min(1, 'Say why, in a few words.').max(500);
const days = 'Enter 1 to 14 days.';
const nothing = z.object({});
const mark = z.object({ mark: z.string().max(100).default('') });

const settings = z.object({
  name: z.string().min(1, 'Enter a name.').max(200),
  retentionDays: z.coerce.number(days).int(days).min(RETENTION_DAYS.min, days).max(RETENTION_DAYS.max, days),
  retentionPolicy: z.enum(['extend', 'archive', 'alert']),
  discardWaitingEvents: z.string().optional(),
});

const credentials = z.object({
  domain: z.string().min(1, 'Enter the domain.').max(500),
  email: z.email('Enter an email address, such as integration@acme.com.').max(320),
  apiToken: z.string().min(1, 'Enter the API token.').max(500),
});

const eventIds = z
  .string()
  .transform((text) => (text === '' ? undefined : fromJson(text)))
  .pipe(EVENT_IDS.optional());

interface ChangeOf<T> {
  readonly ctx: ApiContext;
  readonly tenantId: TenantId;
  readonly operator: Operator;
  readonly values: T;
}

/** Everything that an operator can do to a tenant. Each form sent twice is done once. */
export function changeRoutes(router: Router<RequestState>, context: ConsoleContext): void {
  const { access, tenants, once, shownOnce } = context;

  /** `back`: the page that the form is on, for what does not fit and for what cannot be done now. */
  function change<S extends z.ZodType<object>, R>(
    name: string,
    back: 'now' | 'settings',
    schema: S,
    act: (change: ChangeOf<z.output<S>>) => Promise<R>,
    answer: (change: ChangeOf<z.output<S>>, result: R) => Promise<void> | void = ({ ctx, tenantId }) =>
      seeOther(ctx, `${backTo(tenantId, back)}?done=${name}`),
  ): void {
    router.post(
      `/console/tenants/:tenantId/${name}`,
      access.change(schema, async (ctx, operator, given) => {
        const { tenantId } = await tenantOf(ctx, context);
        const refuse = back === 'now' ? sendNow : sendSettings;
        if (!given.ok) {
          const said = back === 'now' ? refusedNote(given.errors.map(({ message }) => message).join(' ')) : undefined;
          await refuse(ctx, operator, context, { said, refused: refusedForm(name, given), status: 422 });
          return;
        }
        const one = { ctx, tenantId, operator, values: given.values };
        try {
          // Each of two gets the answer, what it is about is done once.
          const fields = { ...given.values, by: operator.name };
          await answer(one, await once.run(`${name} ${tenantId}`, fields, () => act(one)));
        } catch (error) {
          if (!(error instanceof ApiError) || error.status >= 500) throw error;
          const typed = Object.fromEntries(Object.entries(given.values).map(([key, value]) => [key, String(value)]));
          const refused = { form: name, errors: error.fields, given: typed };
          const said = error.fields.length > 0 ? undefined : refusedNote(error.message);
          await refuse(ctx, operator, context, { said, refused, status: error.status });
        }
      }),
    );
  }

  change('pause', 'now', z.object({ reason }), ({ tenantId, operator, values }) =>
    tenants.pause(tenantId, { by: operator.name, reason: values.reason }),
  );
  change('resume', 'now', nothing, ({ tenantId, operator }) =>
    tenants.resume(tenantId, { by: operator.name, reason: 'resumed in the console' }),
  );
  change('call-off', 'now', nothing, ({ tenantId, operator }) =>
    tenants.callOff(tenantId, { by: operator.name, reason: 'called off in the console' }),
  );
  change('recheck', 'now', nothing, async ({ tenantId, operator }) => {
    const { standing } = await viewOf(tenantId, context);
    // An extraction that a problem has stopped looks again by itself, but only every 15 minutes.
    if (standing.from === 'extraction') await tenants.tryAgain(tenantId, operator.name);
    else await tenants.recheck(tenantId, operator.name);
  });
  change('settings', 'settings', settings, ({ tenantId, operator, values }) =>
    tenants.change(tenantId, { ...values, discardWaitingEvents: values.discardWaitingEvents === 'yes' }, operator.name),
  );
  change(
    'credentials',
    'settings',
    credentials,
    ({ tenantId, operator, values }) => tenants.submitCredentials(tenantId, values, operator.name),
    ({ ctx, tenantId }) => seeOther(ctx, `${tenantAddress(tenantId, '/steps')}?done=credentials`),
  );
  change('webhook-setup', 'settings', z.object({ setup: z.enum(['create_for_me', 'by_hand']) }), (one) =>
    tenants.chooseWebhookSetup(one.tenantId, one.values.setup, one.operator.name),
  );
  change('connect-link', 'settings', z.object({ mayChange: z.string().optional() }), (one) =>
    tenants.renewConnectLink(one.tenantId, one.operator.name, { mayChange: one.values.mayChange === 'yes' }),
  );
  change('disconnect', 'settings', confirmed({ reason, discardWaitingEvents: z.string().optional() }), (one) => {
    sure(one);
    const discardWaitingEvents = one.values.discardWaitingEvents === 'yes';
    return tenants.disconnect(one.tenantId, { by: one.operator.name, reason: one.values.reason, discardWaitingEvents });
  });
  change(
    'erase',
    'settings',
    confirmed({}),
    (one) => {
      sure(one);
      const { ctx, tenantId, operator } = one;
      ctx.state.log.warn({ event: 'tenant.erased', tenantId, by: operator.name }, 'tenant: all data erased');
      return tenants.erase(tenantId);
    },
    ({ ctx }) => seeOther(ctx, '/console'),
  );
  change(
    'webhook-key',
    'settings',
    mark,
    ({ tenantId, operator, values }) =>
      shownOnce.run(`key ${tenantId}`, { ...values, by: operator.name }, () =>
        tenants.replaceWebhookKey(tenantId, operator.name),
      ),
    async ({ ctx, tenantId, operator }, { webhookUrl, webhookKey }) => {
      if (webhookKey === null) return seeOther(ctx, `${tenantAddress(tenantId, '/settings')}?done=webhook-key`);
      const tenant = await tenantOf(ctx, context);
      const made = { webhookUrl, webhookKey };
      sendPage(ctx, tenantPage({ tenant, tab: '/settings', operator, body: newKeyView(tenantId, made) }), 201);
    },
  );
  change(
    'redrive',
    'now',
    z.object({ events: eventIds }),
    ({ tenantId, operator, values }) =>
      tenants.redrive(tenantId, { dryRun: false, eventIds: values.events }, operator.name),
    ({ ctx, operator }, done) => sendRejected(ctx, operator, context, redrivenNote(done)),
  );
  change(
    'discard',
    'now',
    z.object({ events: eventIds, reason }),
    ({ tenantId, operator, values }) =>
      tenants.discard(tenantId, values.events, { by: operator.name, reason: values.reason }),
    ({ ctx, operator }, { discarded }) => sendRejected(ctx, operator, context, discardedNote(discarded)),
  );
}

const backTo = (tenantId: TenantId, back: 'now' | 'settings'): string =>
  tenantAddress(tenantId, back === 'now' ? '' : '/settings');

const refusedForm = (name: string, { errors, given }: Extract<FormResult<unknown>, { ok: false }>) => ({
  form: name,
  errors,
  given,
});

const confirmed = <S extends z.ZodRawShape>(shape: S) => z.object({ ...shape, confirm: z.string().max(100) });

/** Throws ApiError unless the tenant's id was typed. */
function sure({ tenantId, values }: ChangeOf<{ readonly confirm: string }>): void {
  if (values.confirm === tenantId) return;
  const message = `Type ${tenantId}, exactly.`;
  throw new ApiError('invalid_request', 'Nothing was done.', [{ field: 'confirm', message }]);
}
