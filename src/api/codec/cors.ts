import type { Middleware } from 'koa';
import { ApiError } from '../../contracts/api-error.ts';
import type { RequestState } from '../http/request-log.ts';

/** What Temporal UI may send besides what a browser always may. The last one it sends when it has a sign-in of its own. */
const HEADERS = 'content-type, x-namespace, authorization, authorization-extras';
/** Browsers ask again after this many seconds; Chromium caps it at 7,200. */
const PREFLIGHT_SECONDS = '7200';

/**
 * Pages of `allowed` may call and may send their cookies; pages of any other origin are refused, whatever they send. Programs send no
 * Origin and are not concerned.
 */
export function cors(allowed: string | undefined): Middleware<RequestState> {
  return async (ctx, next) => {
    const origin = ctx.get('origin');
    ctx.vary('Origin');
    if (origin !== '') {
      if (origin !== allowed) {
        throw new ApiError(
          'forbidden',
          'Only Temporal UI may call this from a browser. Its address is TEMPORAL_UI_URL.',
        );
      }
      ctx.set({ 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true' });
    }
    if (ctx.method !== 'OPTIONS') return next();
    ctx.set({
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': HEADERS,
      'access-control-max-age': PREFLIGHT_SECONDS,
    });
    ctx.status = 204;
  };
}
