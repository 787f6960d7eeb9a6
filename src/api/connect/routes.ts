import type Router from '@koa/router';
import { z } from 'zod';
import { ApiError } from '../../contracts/api-error.ts';
import type { Db } from '../../store/db.ts';
import { BY_CUSTOMER as BY, type Tenants } from '../../tenants/commands.ts';
import type { ConnectLinks } from '../../tenants/connect-links.ts';
import type { ReadModel } from '../../tenants/read-model.ts';
import type { ApiContext } from '../http/endpoints.ts';
import { RateLimit } from '../http/rate-limit.ts';
import type { RequestState } from '../http/request-log.ts';
import { pageRouter } from '../pages/error-page.ts';
import { formFields, readForm, seeOther } from '../pages/forms.ts';
import type { LiveUpdates } from '../pages/live.ts';
import { createOnce } from '../pages/once.ts';
import { sendHtml, sendPage } from '../pages/respond.ts';
import { type Opened, openLink } from './access.ts';
import { connectPage, deadLinkPage, hasEnded } from './page.ts';
import { progressOf } from './progress.ts';
import { type JustNow, nextLookMs, progressPart } from './progress-part.ts';
import type { Rights } from './rights.ts';
import { credentialsForm, domainHint, type Refused } from './step-credentials.ts';
import { type ConnectUrls, connectUrls } from './urls.ts';

export interface ConnectDeps {
  readonly db: Db;
  readonly tenants: Tenants;
  readonly read: ReadModel;
  readonly links: ConnectLinks;
  readonly live: LiveUpdates;
  readonly publicUrl: string;
  /** Hosts besides Gladly's own that may be named as the domain. */
  readonly extraHosts: readonly string[];
}

/** The same form within this time was sent twice, by a double click or an impatient reload. */
const REPEATED_MS = 5_000;

const ONLY_SHOWS =
  'This is connected and works, so the link only shows how it is, and nothing was changed. To change something, ask your contact at Idiomatic for a link with which you can.';

/**
 * What the links of one tenant may set in motion, in this process: ten credentials and ten keys an hour, and one thing a minute in all. Far more than
 * a person needs, and too little to guess a token with or to keep us busy.
 */
const HOUR_S = 3_600;
const MOST_TENANTS = 10_000;
const ACTIONS = { burst: 60, perSecond: 60 / HOUR_S, ids: MOST_TENANTS };
const TRIES = { burst: 10, perSecond: 10 / HOUR_S, ids: 2 * MOST_TENANTS };
const TOO_OFTEN = 'This was done very often within the last hour. Wait some minutes, then try again.';

type Handle = (ctx: ApiContext, opened: Opened, urls: ConnectUrls) => Promise<void>;

const setupForm = z.object({ setup: z.enum(['create_for_me', 'by_hand']) });

/** The customer's page: the link authorizes reading and acting for that one tenant. */
export function connectRoutes(parts: ConnectDeps): Router<RequestState> {
  const { db, tenants, links, live, extraHosts } = parts;
  const router = pageRouter(parts.publicUrl);
  const once = createOnce(REPEATED_MS);
  const actions = new RateLimit(ACTIONS);
  const tries = new RateLimit(TRIES);

  const opening = (handle: Handle) => async (ctx: ApiContext) => {
    const token = String(ctx['params']['link']);
    const opened = await openLink(db, links, token, new Date());
    if (opened === null) sendPage(ctx, deadLinkPage, 404);
    else await handle(ctx, opened, connectUrls(token));
  };
  /** Nothing is done for a tenant whose connection was ended: the page says so. Nor what the link has no right to. */
  const acting = (right: keyof Rights, handle: Handle) =>
    opening(async (ctx, opened, urls) => {
      const progress = await progressOf(parts, opened.tenant);
      if (hasEnded(progress)) return seeOther(ctx, urls.page);
      if (!progress.rights[right]) throw new ApiError('forbidden', ONLY_SHOWS);
      if (!actions.allows(opened.tenant.tenantId)) throw new ApiError('too_many_requests', TOO_OFTEN);
      await handle(ctx, opened, urls);
    });
  const show = async (ctx: ApiContext, opened: Opened, urls: ConnectUrls, justNow?: JustNow, status = 200) =>
    sendPage(ctx, connectPage(opened, await progressOf(parts, opened.tenant), urls, justNow), status);

  router.get(
    '/connect/:link',
    opening((ctx, opened, urls) => show(ctx, opened, urls)),
  );

  // Not by `opening`: withdrawn after the page was made and before it could follow, a refused stream would be retried endlessly, or its page put
  // into this one.
  router.get('/connect/:link/live', async (ctx) => {
    const token = String(ctx['params']['link']);
    const urls = connectUrls(token);
    const first = await openLink(db, links, token, new Date());
    if (first === null) return live.tell(ctx, 'reload');
    live.follow(ctx, { kind: 'link', id: first.tenant.tenantId }, async () => {
      const opened = await openLink(db, links, token, new Date());
      if (opened === null) return 'reload';
      const progress = await progressOf(parts, opened.tenant);
      if (hasEnded(progress)) return 'reload';
      return { show: progressPart(progress, urls), nextMs: nextLookMs(progress) };
    });
  });

  router.get(
    '/connect/:link/domain',
    opening(async (ctx) => {
      const typed = ctx.query['domain'];
      sendHtml(ctx, domainHint(typeof typed === 'string' ? typed : '', extraHosts));
    }),
  );

  router.post(
    '/connect/:link/credentials',
    acting('credentials', async (ctx, opened, urls) => {
      const form = await readForm(ctx, credentialsForm);
      const refused: Refused | null = form.ok ? await submit(opened, form.values) : form;
      if (refused === null) return seeOther(ctx, `${urls.page}#step-2`);
      await show(ctx, opened, urls, { refused }, refused.tooOften ? 429 : 422);
    }),
  );

  router.post(
    '/connect/:link/recheck',
    acting('recheck', async (ctx, { tenant }, urls) => {
      await formFields(ctx);
      await tenants.recheck(tenant.tenantId, BY);
      seeOther(ctx, urls.page);
    }),
  );

  router.post(
    '/connect/:link/webhook',
    acting('webhook', async (ctx, { tenant }, urls) => {
      const form = await readForm(ctx, setupForm);
      if (!form.ok)
        throw new ApiError('invalid_request', 'Choose how the webhook is to be made on the page.', form.errors);
      if (form.values.setup !== tenant.webhookSetup || form.values.setup === 'create_for_me') {
        await tenants.chooseWebhookSetup(tenant.tenantId, form.values.setup, BY);
      }
      seeOther(ctx, `${urls.page}#step-3`);
    }),
  );

  router.post(
    '/connect/:link/key',
    acting('key', async (ctx, opened, urls) => {
      await formFields(ctx);
      const { tenantId } = opened.tenant;
      // Not followed by a redirect: the key is in this answer only. One that is asked for twice at once is the same key.
      const { webhookKey } = await once.run(`key ${tenantId}`, {}, async () => {
        if (!tries.allows(`${tenantId} key`)) throw new ApiError('too_many_requests', TOO_OFTEN);
        return tenants.replaceWebhookKey(tenantId, BY, { sparesUsed: true });
      });
      await show(ctx, opened, urls, webhookKey === null ? {} : { newKey: webhookKey });
    }),
  );

  async function submit({ tenant }: Opened, given: z.output<typeof credentialsForm>): Promise<Refused | null> {
    try {
      await once.run(`credentials ${tenant.tenantId}`, given, async () => {
        if (!tries.allows(`${tenant.tenantId} credentials`)) throw new ApiError('too_many_requests', TOO_OFTEN);
        return tenants.submitCredentials(tenant.tenantId, given, BY);
      });
      return null;
    } catch (error) {
      // Beside the form, so that what was typed is still there.
      if (error instanceof ApiError && error.code === 'too_many_requests')
        return { errors: [{ field: 'apiToken', message: error.message }], given, tooOften: true };
      if (!(error instanceof ApiError && error.fields.length > 0)) throw error;
      return { errors: error.fields, given };
    }
  }

  return router;
}
