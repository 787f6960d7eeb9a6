import type { z } from 'zod';
import { ApiError } from '../../contracts/api-error.ts';
import type { ApiContext } from '../http/endpoints.ts';
import type { Operator } from '../http/operators.ts';
import { type FormResult, formFields, fromOurOwnPage, readForm, seeOther } from '../pages/forms.ts';
import { html } from '../pages/html.ts';
import type { LiveUpdates, Look } from '../pages/live.ts';
import { sendPage } from '../pages/respond.ts';
import type { Sessions } from './sessions.ts';
import { signInPage } from './sign-in-page.ts';

export type View = (ctx: ApiContext, operator: Operator) => Promise<void> | void;
export type Change<S extends z.ZodType> = (
  ctx: ApiContext,
  operator: Operator,
  given: FormResult<z.output<S>>,
) => Promise<void> | void;

/** Who may see and do what in the console. */
export interface Access {
  /** A page for signed-in operators; others are sent to the sign-in first. */
  view(show: View): (ctx: ApiContext) => Promise<void>;
  /** The stream of a page: without a session it says so and ends, and what the page shows stays. */
  stream(show: View): (ctx: ApiContext) => Promise<void>;
  /** A form of an operator's. Whose session has ended signs in and is asked again, with what was typed. */
  change<S extends z.ZodType>(schema: S, act: Change<S>): (ctx: ApiContext) => Promise<void>;
}

/** Typed anew after a sign-in: secrets do not travel through another page. */
const SECRET_FIELDS = ['apiToken'];

/** Comes into its own place (frame.ts), beside what the page shows. */
const SESSION_ENDED = html`<div id="session" role="status" hx-swap-oob="true"><p class="note warn">Your session has ended, so this page does not follow any more. <a href="/console/sign-in">Sign in again</a>. What you type here is kept until then.</p></div>`;
export const ENDED = { show: SESSION_ENDED, ends: true } as const satisfies Look;

export function createAccess(sessions: Sessions, live: LiveUpdates): Access {
  return {
    view: (show) => async (ctx) => {
      const operator = await sessions.operatorOf(ctx.req);
      if (operator) return show(ctx, operator);
      const signIn = `/console/sign-in?${new URLSearchParams({ to: ctx.url })}`;
      // A script would put the sign-in page in the place of the list.
      if (ctx.get('hx-request') === '') return seeOther(ctx, signIn);
      ctx.set('hx-redirect', signIn);
      ctx.body = '';
    },
    stream: (show) => async (ctx) => {
      const operator = await sessions.operatorOf(ctx.req);
      if (operator) return show(ctx, operator);
      live.tell(ctx, ENDED);
    },
    change: (schema, act) => async (ctx) => {
      fromOurOwnPage(ctx);
      const operator = await sessions.operatorOf(ctx.req);
      if (!operator) {
        const fields = Object.entries(await formFields(ctx)).filter(([name]) => !SECRET_FIELDS.includes(name));
        sendPage(ctx, signInPage({ to: '/console', held: { action: ctx.path, fields } }), 401);
        return;
      }
      if (operator.role === 'viewer') {
        throw new ApiError(
          'forbidden',
          'Your key may look and not change anything. Sign in with the key of an operator.',
        );
      }
      await act(ctx, operator, await readForm(ctx, schema));
    },
  };
}
