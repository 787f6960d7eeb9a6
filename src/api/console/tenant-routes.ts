import { randomUUID } from 'node:crypto';
import type Router from '@koa/router';
import { ApiError } from '../../contracts/api-error.ts';
import { extractionWorkflowId, onboardingWorkflowId, TENANT_ID, type TenantId } from '../../contracts/tenant.ts';
import { listActions } from '../../store/actions.ts';
import { rejectedEvents } from '../../store/ledger/rejected.ts';
import { measuredSteps } from '../../store/measurements.ts';
import type { Tenant } from '../../store/tenants.ts';
import type { TenantView } from '../../tenants/read-model.ts';
import type { ApiContext } from '../http/endpoints.ts';
import type { Operator } from '../http/operators.ts';
import type { RequestState } from '../http/request-log.ts';
import { seeOther } from '../pages/forms.ts';
import { type Html, html, type Piece } from '../pages/html.ts';
import { sendPage } from '../pages/respond.ts';
import { ENDED } from './access.ts';
import { chartData, chartsView, RANGES, rangeOf } from './charts.ts';
import type { ConsoleContext } from './context.ts';
import { HISTORY_ROWS, historyView } from './history-page.ts';
import { nowView } from './now-page.ts';
import { following } from './pieces.ts';
import { REJECTED_ROWS, redriveView, rejectedView } from './rejected-page.ts';
import { type Refused, settingsView } from './settings-page.ts';
import { stepsView } from './steps-page.ts';
import { doneNote, tenantAddress, tenantPage } from './tenant-frame.ts';

const LOOK_MS = 1_000;
const TENANT = '/console/tenants/:tenantId';
const LONGEST_ID = 200;

/** The pages of one tenant. */
export function tenantRoutes(router: Router<RequestState>, context: ConsoleContext): void {
  const { access, db, live, sessions } = context;

  const follow = (path: string, show: (view: TenantView, operator: Operator) => Html | Promise<Html>): void => {
    router.get(
      path,
      access.stream(async (ctx, { name }) => {
        const { tenantId } = await tenantOf(ctx, context);
        live.follow(ctx, { kind: 'operator', id: name }, async () => {
          const operator = await sessions.operatorOf(ctx.req);
          if (!operator) return ENDED;
          return {
            show: await show(await viewOf(tenantId, context), operator),
            nextMs: LOOK_MS,
          };
        });
      }),
    );
  };

  router.get(
    TENANT,
    access.view((ctx, operator) => sendNow(ctx, operator, context)),
  );
  follow(`${TENANT}/live`, async (view, operator) => nowView(view, await context.read.details(view), operator));

  router.get(
    `${TENANT}/steps`,
    access.view(async (ctx, operator) => {
      const tenant = await tenantOf(ctx, context);
      const body = html`<div id="steps">${stepsView(await viewOf(tenant.tenantId, context))}</div>${stream(tenant, '/steps/live', '#steps')}`;
      sendPage(
        ctx,
        tenantPage({
          tenant,
          tab: '/steps',
          operator,
          body,
          said: doneNote(ctx.query['done']),
          reload: { seconds: 10, url: ctx.path },
        }),
      );
    }),
  );
  follow(`${TENANT}/steps/live`, stepsView);

  router.get(
    `${TENANT}/measurements`,
    access.view(async (ctx) => {
      const tenant = await tenantOf(ctx, context);
      const { ms, stepMs } = RANGES[rangeOf(ctx.query['range'])];
      const to = Date.now();
      const from = to - ms;
      const [steps, waiting] = await Promise.all([
        measuredSteps(db, tenant.tenantId, { since: new Date(from), stepMs }),
        context.read.waiting(tenant),
      ]);
      ctx.body = chartData(steps, { from, to, stepMs }, waiting);
    }),
  );

  router.get(
    `${TENANT}/rejected`,
    access.view((ctx, operator) => sendRejected(ctx, operator, context, null)),
  );

  router.get(
    `${TENANT}/redrive`,
    access.view(async (ctx, operator) => {
      const tenant = await tenantOf(ctx, context);
      const to = tenantAddress(tenant.tenantId, '/rejected');
      const eventIds = ctx.query['all'] === 'no' ? texts(ctx.query['event']) : null;
      if (operator.role === 'viewer' || eventIds?.length === 0) return seeOther(ctx, to);
      const found = await context.tenants.redrive(
        tenant.tenantId,
        { dryRun: true, ...(eventIds ? { eventIds } : {}) },
        operator.name,
      );
      const body = redriveView(tenant.tenantId, found, eventIds);
      sendPage(ctx, tenantPage({ tenant, tab: '/rejected', operator, body }));
    }),
  );

  router.get(
    `${TENANT}/history`,
    access.view(async (ctx, operator) => {
      const tenant = await tenantOf(ctx, context);
      const before = /^\d{1,15}$/.exec(String(ctx.query['before'] ?? ''))?.[0];
      const actions = await listActions(db, tenant.tenantId, {
        limit: HISTORY_ROWS,
        ...(before === undefined ? {} : { before: Number(before) }),
      });
      const body = historyView(tenant.tenantId, actions, before === undefined);
      sendPage(ctx, tenantPage({ tenant, tab: '/history', operator, body }));
    }),
  );

  router.get(
    `${TENANT}/settings`,
    access.view((ctx, operator) =>
      operator.role === 'viewer'
        ? seeOther(ctx, ctx.path.replace('/settings', ''))
        : sendSettings(ctx, operator, context, { said: doneNote(ctx.query['done']) }),
    ),
  );
}

export interface Answer {
  readonly said?: Piece;
  readonly refused?: Refused;
  readonly status?: number;
}

export async function sendNow(ctx: ApiContext, operator: Operator, context: ConsoleContext, answer: Answer = {}) {
  const tenant = await tenantOf(ctx, context);
  const range = rangeOf(ctx.query['range']);
  const { ms, stepMs } = RANGES[range];
  const view = await viewOf(tenant.tenantId, context);
  const [details, waiting, steps] = await Promise.all([
    context.read.details(view),
    context.read.waiting(tenant),
    measuredSteps(context.db, tenant.tenantId, { since: new Date(Date.now() - ms), stepMs }),
  ]);
  const body = html`<div id="now">${nowView(view, details, operator)}</div>${stream(tenant, '/live', '#now')}
${chartsView(tenant.tenantId, range, steps, waiting)}
${inTemporal(tenant, context)}`;
  const said = answer.said ?? doneNote(ctx.query['done']);
  const assets = ['uplot.css', 'uplot.js', 'console.js'] as const;
  sendPage(ctx, tenantPage({ tenant, tab: '', operator, body, said, assets }), answer.status);
}

export async function sendRejected(ctx: ApiContext, operator: Operator, context: ConsoleContext, said: Piece) {
  const tenant = await tenantOf(ctx, context);
  const { tenantId } = tenant;
  const [after = ''] = texts(ctx.query['after']);
  const [events, { counts, deadLetters }] = await Promise.all([
    rejectedEvents(context.db, tenantId, { after, limit: REJECTED_ROWS }),
    viewOf(tenantId, context),
  ]);
  const { rejected } = counts;
  const body = rejectedView({ tenantId, events, rejected, deadLetters, isFirst: after === '', operator });
  sendPage(ctx, tenantPage({ tenant, tab: '/rejected', operator, body, said }));
}

export async function sendSettings(ctx: ApiContext, operator: Operator, context: ConsoleContext, answer: Answer) {
  const tenant = await tenantOf(ctx, context);
  const { tenants } = context;
  const urls = {
    webhookUrl: tenants.webhookUrl(tenant.tenantId),
    connectUrl: operator.role === 'operator' ? tenants.connectUrl(tenant) : null,
  };
  const body = settingsView({ tenant, ...urls, mark: randomUUID(), refused: answer.refused });
  sendPage(ctx, tenantPage({ tenant, tab: '/settings', operator, body, said: answer.said }), answer.status);
}

/** Throws ApiError: not_found, for what is no tenant and for what cannot be one alike. */
export async function tenantOf(ctx: ApiContext, { tenants }: Pick<ConsoleContext, 'tenants'>): Promise<Tenant> {
  const id: unknown = ctx['params']['tenantId'];
  if (typeof id !== 'string' || !TENANT_ID.test(id)) throw new ApiError('not_found', 'There is no such tenant.');
  return tenants.get(id);
}

/** How the tenant is now. Throws ApiError: not_found. */
export async function viewOf(tenantId: TenantId, { read }: Pick<ConsoleContext, 'read'>): Promise<TenantView> {
  const view = await read.tenant(tenantId);
  if (view === null) throw new ApiError('not_found', 'There is no such tenant.');
  return view;
}

const stream = ({ tenantId }: Tenant, path: string, target: string): Html =>
  following(tenantAddress(tenantId, path), target);

/** Its workflows, where Temporal shows each decision and its evidence. */
function inTemporal({ tenantId }: Tenant, { config }: ConsoleContext): Piece {
  const { TEMPORAL_UI_URL: url, TEMPORAL_NAMESPACE: namespace } = config;
  if (url === undefined) return null;
  const to = (id: string): string =>
    `${url.replace(/\/+$/, '')}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(id)}`;
  return html`<p class="elsewhere">In Temporal UI: <a href="${to(extractionWorkflowId(tenantId))}">extraction</a>, <a href="${to(onboardingWorkflowId(tenantId))}">set-up</a></p>`;
}

const texts = (value: string | readonly string[] | undefined): readonly string[] =>
  (typeof value === 'string' ? [value] : (value ?? [])).filter((text) => text !== '' && text.length <= LONGEST_ID);
