import Router from '@koa/router';
import type { Middleware } from 'koa';
import { ApiError, type ApiErrorCode } from '../../contracts/api-error.ts';
import { asApiError } from '../http/known-errors.ts';
import type { RequestState } from '../http/request-log.ts';
import { fromOurHost } from './forms.ts';
import { html } from './html.ts';
import type { Page } from './layout.ts';
import { sendPage } from './respond.ts';
import { pageHeaders } from './security.ts';

const TITLES: Partial<Record<ApiErrorCode, string>> = {
  not_found: 'There is nothing here',
  forbidden: 'This was not done',
  unauthorized: 'Sign in first',
  invalid_request: 'Something does not fit',
  conflict: 'This cannot be done now',
  too_many_requests: 'Too much at once',
  store_unavailable: 'We cannot be reached at the moment',
  temporal_unavailable: 'This may still be done',
  queue_unavailable: 'We cannot be reached at the moment',
};

/** Whatever a page throws, as a page that says what happened and what to do. */
export const errorPages: Middleware<RequestState> = async (ctx, next) => {
  try {
    await next();
    if (ctx.status === 404 && ctx.body === undefined) {
      throw new ApiError('not_found', 'Check the address, or follow the link that you were given once more.');
    }
  } catch (thrown) {
    const error = asApiError(thrown);
    if (error.status >= 500) ctx.state.log.error({ event: 'page.failed', err: thrown }, 'page: failed');
    if (error.retryAfterS !== null) ctx.set('retry-after', String(error.retryAfterS));
    sendPage(ctx, errorPage(error, ctx.state.requestId), error.status);
  }
};

function errorPage(error: ApiError, requestId: string): Page {
  const title = TITLES[error.code] ?? 'Something went wrong';
  return {
    title,
    main: html`<h1>${title}</h1>
<p class="lead">${error.message}</p>
${error.fields.length > 0 && html`<ul>${error.fields.map(({ field, message }) => html`<li><b>${field}</b> ${message}</li>`)}</ul>`}
<p class="quiet">If you ask us about it, give us this number: <code>${requestId}</code></p>`,
  };
}

/** A router whose answers are pages: with their headers, and with what is thrown shown as a page. */
export function pageRouter(publicUrl: string): Router<RequestState> {
  const router = new Router<RequestState>({ sensitive: true });
  router.use(pageHeaders(publicUrl), errorPages, fromOurHost(publicUrl));
  return router;
}
