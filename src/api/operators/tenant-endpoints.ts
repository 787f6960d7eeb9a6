import { z } from 'zod';
import { ApiError } from '../../contracts/api-error.ts';
import { RETENTION_DAYS, TENANT_ID, type TenantId } from '../../contracts/tenant.ts';
import type { Tenants } from '../../tenants/commands.ts';
import type { ReadModel } from '../../tenants/read-model.ts';
import { type Endpoint, endpoint, NO_BODY } from '../http/endpoints.ts';
import { EVENT_IDS } from '../http/input.ts';
import type { Operator } from '../http/operators.ts';
import { asOf, tenantStatus, tenantSummary } from './tenant-status.ts';

const retentionDays = z.int().min(RETENTION_DAYS.min).max(RETENTION_DAYS.max);
const reason = z.string().trim().min(1).max(500);
const name = z.string().trim().min(1).max(200);
const webhookSetup = z.enum(['create_for_me', 'by_hand']);

const newTenant = z.strictObject({
  tenantId: z.string().regex(TENANT_ID, 'must be 1 to 40 small letters, digits or dashes'),
  name,
  retentionDays: retentionDays.default(RETENTION_DAYS.default),
  webhookSetup: webhookSetup.default('by_hand'),
  startPaused: z.boolean().default(false),
});

const credentials = z.strictObject({
  domain: z.string().trim().min(1).max(500),
  email: z.email().max(320),
  apiToken: z.string().trim().min(1).max(500),
  webhookSetup: webhookSetup.optional(),
});

/** `webhookSetup` as everywhere else; `setup` is its older name. */
const chosenSetup = z
  .union([z.strictObject({ webhookSetup }), z.strictObject({ setup: webhookSetup })], {
    error: 'send webhookSetup: create_for_me or by_hand',
  })
  .transform((body) => ('setup' in body ? body.setup : body.webhookSetup));

const because = z.strictObject({ reason: reason.default('no reason given') });

/** Connect customers, see how they are, stop and start their extraction. */
export function tenantEndpoints(tenants: Tenants, read: ReadModel): Endpoint[] {
  /** A viewer does not get the connect link: it allows changes. */
  const status = async (tenantId: TenantId, role: Operator['role']) => {
    const view = await read.tenant(tenantId);
    if (view === null) throw new ApiError('not_found', 'There is no such tenant.');
    return tenantStatus(view, await read.habits(tenantId), {
      webhookUrl: tenants.webhookUrl(tenantId),
      connectUrl: role === 'operator' ? tenants.connectUrl(view.tenant) : null,
    });
  };

  return [
    endpoint({
      method: 'post',
      path: '/v1/tenants',
      summary: 'Connect a tenant: makes its webhook address and key, and starts its onboarding. The key is shown once.',
      needs: 'operator',
      body: newTenant,
      status: 201,
      handle: async ({ body, operator, ctx }) => {
        ctx.set('location', `/v1/tenants/${body.tenantId}`);
        return tenants.create(body, operator.name);
      },
    }),
    endpoint({
      method: 'get',
      path: '/v1/tenants',
      summary: 'All tenants, by id, with their state, and as of when that is known.',
      needs: 'viewer',
      query: z.object({
        after: z.string().max(40).default(''),
        limit: z.coerce.number().int().min(1).max(500).default(100),
        search: z.string().max(100).default(''),
      }),
      status: 200,
      handle: async ({ query }) => {
        const [page, alive] = await Promise.all([read.byId(query), read.liveness()]);
        return {
          tenants: page.map(tenantSummary),
          next: page.length === query.limit ? (page.at(-1)?.tenant.tenantId ?? null) : null,
          ...asOf(alive),
        };
      },
    }),
    endpoint({
      method: 'get',
      path: '/v1/tenants/:tenantId',
      summary: 'How a tenant is: the steps of its onboarding, its extraction, what waits and until when.',
      needs: 'viewer',
      status: 200,
      handle: ({ tenantId, operator }) => status(tenantId, operator.role),
    }),
    endpoint({
      method: 'patch',
      path: '/v1/tenants/:tenantId',
      summary:
        'Change how long events are kept, what happens when they are about to expire, or the name. A shorter time that would delete waiting events is refused, unless they are discarded.',
      needs: 'operator',
      body: z.strictObject({
        retentionDays: retentionDays.optional(),
        retentionPolicy: z.enum(['extend', 'archive', 'alert']).optional(),
        name: name.optional(),
        discardWaitingEvents: z.boolean().default(false),
      }),
      status: 200,
      handle: async ({ tenantId, body, operator }) => {
        await tenants.change(tenantId, body, operator.name);
        return status(tenantId, operator.role);
      },
    }),
    endpoint({
      method: 'put',
      path: '/v1/tenants/:tenantId/credentials',
      summary: 'Give the Gladly domain, user and API token. They are checked at once; see the status.',
      needs: 'operator',
      body: credentials,
      status: 202,
      handle: ({ tenantId, body, operator, ctx }) => {
        ctx.set('location', `/v1/tenants/${tenantId}`);
        return tenants.submitCredentials(tenantId, body, operator.name);
      },
    }),
    endpoint({
      method: 'post',
      path: '/v1/tenants/:tenantId/recheck',
      summary: 'Something was mended: look again now.',
      needs: 'operator',
      body: NO_BODY,
      status: 202,
      handle: ({ tenantId, operator }) => tenants.recheck(tenantId, operator.name),
    }),
    endpoint({
      method: 'post',
      path: '/v1/tenants/:tenantId/webhook-setup',
      summary: 'Who makes the webhook in Gladly: we (create_for_me), or the customer (by_hand).',
      needs: 'operator',
      body: chosenSetup,
      status: 202,
      handle: ({ tenantId, body, operator }) => tenants.chooseWebhookSetup(tenantId, body, operator.name),
    }),
    endpoint({
      method: 'post',
      path: '/v1/tenants/:tenantId/webhook-key',
      summary: 'Make a new webhook key, shown once. The old one works until the new one is seen in use, or for 7 days.',
      needs: 'operator',
      body: NO_BODY,
      status: 201,
      handle: ({ tenantId, operator }) => tenants.replaceWebhookKey(tenantId, operator.name),
    }),
    endpoint({
      method: 'post',
      path: '/v1/tenants/:tenantId/connect-link',
      summary:
        'Make a new connect link, good for 30 days. All that were made before are withdrawn. Of a connected tenant it only shows, but with mayChange: for 3 days.',
      needs: 'operator',
      body: z.strictObject({ mayChange: z.boolean().default(false) }),
      status: 201,
      handle: ({ tenantId, body, operator }) => tenants.renewConnectLink(tenantId, operator.name, body),
    }),
    endpoint({
      method: 'post',
      path: '/v1/tenants/:tenantId/pause',
      summary: 'Stop extraction. Events go on arriving and wait.',
      needs: 'operator',
      body: because,
      status: 202,
      handle: ({ tenantId, body, operator }) => tenants.pause(tenantId, { by: operator.name, reason: body.reason }),
    }),
    endpoint({
      method: 'post',
      path: '/v1/tenants/:tenantId/resume',
      summary: 'Go on with extraction.',
      needs: 'operator',
      body: because,
      status: 202,
      handle: ({ tenantId, body, operator }) => tenants.resume(tenantId, { by: operator.name, reason: body.reason }),
    }),
    endpoint({
      method: 'post',
      path: '/v1/tenants/:tenantId/redrive',
      summary:
        'Bring back rejected events and dead letters, all or by event id, with a fresh count; with gone, also those whose conversation or item Gladly did not have. Begin with dryRun.',
      needs: 'operator',
      body: z.strictObject({
        dryRun: z.boolean().default(true),
        gone: z.boolean().default(false),
        eventIds: EVENT_IDS.optional(),
      }),
      status: 200,
      handle: ({ tenantId, body, operator }) => tenants.redrive(tenantId, body, operator.name),
    }),
    endpoint({
      method: 'post',
      path: '/v1/tenants/:tenantId/discard',
      summary:
        'Rejected events were looked at and nothing is to be done: all, or by event id. A redrive with gone brings them back for as long as the ledger keeps them.',
      needs: 'operator',
      body: z.strictObject({ reason, eventIds: EVENT_IDS.optional() }),
      status: 200,
      handle: ({ tenantId, body, operator }) =>
        tenants.discard(tenantId, body.eventIds, { by: operator.name, reason: body.reason }),
    }),
    endpoint({
      method: 'delete',
      path: '/v1/tenants/:tenantId',
      summary:
        'Cancel the onboarding, or disconnect: takes back what we made in Gladly and SQS. Waiting events are kept unless discarded.',
      needs: 'operator',
      body: z.strictObject({ reason, discardWaitingEvents: z.boolean().default(false) }),
      status: 202,
      handle: ({ tenantId, body, operator }) => tenants.disconnect(tenantId, { by: operator.name, ...body }),
    }),
    endpoint({
      method: 'post',
      path: '/v1/tenants/:tenantId/call-off',
      summary: 'Keep a tenant that is being disconnected: what was taken back already is made again.',
      needs: 'operator',
      body: because,
      status: 202,
      handle: ({ tenantId, body, operator }) => tenants.callOff(tenantId, { by: operator.name, reason: body.reason }),
    }),
    endpoint({
      method: 'delete',
      path: '/v1/tenants/:tenantId/data',
      summary:
        'Erase all that is stored of a tenant that was disconnected: conversations, events, history. There is no way back.',
      needs: 'operator',
      body: z.strictObject({ reason }),
      status: 200,
      handle: async ({ tenantId, body, operator, ctx }) => {
        const erased = await tenants.erase(tenantId);
        ctx.state.log.warn(
          { event: 'tenant.erased', tenantId, by: operator.name, reason: body.reason },
          'tenant: all data erased',
        );
        return erased;
      },
    }),
  ];
}
