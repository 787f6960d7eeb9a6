import { randomUUID } from 'node:crypto';
import type { Middleware } from 'koa';
import { ApiError } from '../../contracts/api-error.ts';
import type { Logger } from '../../telemetry/log.ts';
import { asApiError } from './known-errors.ts';
import { problemDetails } from './problem-details.ts';

/** What every request carries. */
export interface RequestState {
  requestId: string;
  log: Logger;
}

/** A caller may name its request, so that its log and ours can be held together. */
const GIVEN_ID = /^[\w.-]{8,64}$/;

/** Logs each request once, with its id and its tenant; turns whatever is thrown into problem details. Bodies are never logged. */
export function requestLog(log: Logger): Middleware<RequestState> {
  return async (ctx, next) => {
    const given = ctx.get('x-request-id');
    const requestId = GIVEN_ID.test(given) ? given : randomUUID();
    const started = performance.now();
    ctx.state.requestId = requestId;
    ctx.state.log = log.child({ requestId });
    ctx.set('x-request-id', requestId);
    try {
      // Postgres cannot even be asked for a NUL, and nothing of ours has one.
      if (ctx.url.includes('%00')) throw new ApiError('not_found', 'There is nothing at this address.');
      await next();
      if (ctx.status === 405 || ctx.status === 501) {
        throw new ApiError(
          'method_not_allowed',
          `This address does not take ${ctx.method}. It takes: ${ctx.response.get('allow')}.`,
        );
      }
      if (ctx.status === 404 && ctx.body === undefined)
        throw new ApiError('not_found', 'There is nothing at this address.');
    } catch (thrown) {
      const error = asApiError(thrown);
      if (error.status >= 500) ctx.state.log.error({ event: 'request.failed', err: thrown }, 'request: failed');
      ctx.status = error.status;
      ctx.body = problemDetails(error, requestId);
      ctx.type = 'application/problem+json';
      if (error.code === 'unauthorized') ctx.set('www-authenticate', 'Bearer');
      if (error.retryAfterS !== null) ctx.set('retry-after', String(error.retryAfterS));
    } finally {
      const tenant = /^\/v1\/tenants\/([a-z0-9-]{1,40})(?:\/|$)/.exec(ctx.path)?.[1];
      ctx.state.log.info(
        {
          event: 'request.done',
          method: ctx.method,
          path: loggedPath(ctx.path),
          status: ctx.status,
          ms: Math.round(performance.now() - started),
          tenant,
        },
        'request: done',
      );
    }
  };
}

/** A signed text (tenants/connect-links.ts), whole or not quite: the rest of one that is nearly whole can be guessed. */
const SIGNED = /[\w-]{8,}\.[\w-]{20,}/g;
/** What follows this is taken for a link, whatever it is. */
const AFTER_CONNECT = /(connect[/\\]+)[^/\\]+/gi;
const ESCAPED = /%([0-7][0-9a-f])/gi;
/** A link that was escaped more often than this was meant to be hidden from here by who has it. */
const MOST_ESCAPES = 5;

/** The path as it may be logged: without a connect link, which is a secret, wherever in it and however it is spelt. */
export function loggedPath(path: string): string {
  let read = path;
  for (let n = 0; n < MOST_ESCAPES; n += 1) read = read.replace(ESCAPED, unescaped);
  const blank = read.replace(AFTER_CONNECT, '$1LINK').replace(SIGNED, 'LINK');
  return blank === read ? path : blank;
}

const unescaped = (_: string, hex: string): string => String.fromCharCode(Number.parseInt(hex, 16));
