import type Router from '@koa/router';
import { z } from 'zod';
import type { RefusedKeys } from '../http/refused-keys.ts';
import type { RequestState } from '../http/request-log.ts';
import { fromJson, fromOurOwnPage, readForm, seeOther } from '../pages/forms.ts';
import { sendPage } from '../pages/respond.ts';
import type { Sessions } from './sessions.ts';
import { type HeldForm, heldPage, signInPage } from './sign-in-page.ts';

/** Only pages of the console, so that the redirect leads nowhere else. */
const PAGE_OF_OURS = /^\/console(?:$|[/?][\w./?=&%+-]*$)/;
const TENANT_FORM = /^\/console\/(?:new|tenants\/[a-z0-9-]{1,40}\/[a-z-]{1,40})$/;

const signIn = z.object({
  key: z.string().max(500).default(''),
  to: z.string().regex(PAGE_OF_OURS).catch('/console'),
  'held-action': z.string().regex(TENANT_FORM).optional().catch(undefined),
  'held-fields': z
    .string()
    .transform(fromJson)
    .pipe(z.array(z.tuple([z.string().max(100), z.string().max(20_000)])).max(50))
    .optional()
    .catch(undefined),
});

export function signInRoutes(router: Router<RequestState>, sessions: Sessions, refusedKeys: RefusedKeys): void {
  router.get('/console/sign-in', (ctx) => {
    const { to } = signIn.parse({ to: ctx.query['to'] });
    sendPage(ctx, signInPage({ to }));
  });

  router.post('/console/sign-in', async (ctx) => {
    const read = await readForm(ctx, signIn);
    const given = read.ok ? read.values : signIn.parse({});
    const held = heldForm(given);
    const cookie = sessions.signIn(given.key);
    if (cookie === null) {
      if (given.key !== '') refusedKeys.note(ctx, 'console');
      sendPage(ctx, signInPage({ to: given.to, held, wrongKey: true }), 422);
      return;
    }
    ctx.set('set-cookie', cookie);
    if (held) sendPage(ctx, heldPage(held));
    else seeOther(ctx, given.to);
  });

  router.post('/console/sign-out', async (ctx) => {
    fromOurOwnPage(ctx);
    ctx.set('set-cookie', await sessions.signOut(ctx.req));
    // Not "cookies": that would take those of other hosts of the same domain as well, Temporal UI's for example.
    ctx.set('clear-site-data', '"cache", "storage"');
    seeOther(ctx, '/console/sign-in');
  });
}

function heldForm(given: z.output<typeof signIn>): HeldForm | undefined {
  const action = given['held-action'];
  return action === undefined ? undefined : { action, fields: given['held-fields'] ?? [] };
}
