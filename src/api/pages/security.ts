import type { Middleware } from 'koa';
import type { RequestState } from '../http/request-log.ts';

/** Nothing from another host, no script and no style but our own files, in no frame, and forms only to ourselves. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const YEAR_SECONDS = 31_536_000;

/** Headers of every page. `publicUrl` tells whether browsers reach us over TLS. */
export function pageHeaders(publicUrl: string): Middleware<RequestState> {
  const secure = publicUrl.startsWith('https://');
  return async (ctx, next) => {
    ctx.set({
      'content-security-policy': secure ? `${POLICY}; upgrade-insecure-requests` : POLICY,
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      // A connect link is a secret in the address: neither another site nor the log of a proxy learns it. (`no-referrer` would also blank
      // the Origin of our own forms.)
      'referrer-policy': 'strict-origin',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
      'cache-control': 'no-store',
      ...(secure ? { 'strict-transport-security': `max-age=${YEAR_SECONDS}` } : {}),
    });
    await next();
  };
}
