import { type Failure, GladlyError, type GladlyErrorDetail } from './errors.ts';
import { isObject, type JsonObject, parseStorableJson, textOr } from './json.ts';
import { quotaAnswer } from './quota.ts';
import type { Reply } from './transport.ts';

/** Throws unless the status says that Gladly did what was asked. `origin` tells our host from another. */
export function assertDone(reply: Reply, origin: string): void {
  if (reply.status >= 200 && reply.status < 300) return;
  throw new GladlyError(failureOf(reply, origin), reply.request, reply.status, detailsOf(reply.text));
}

/**
 * The body as JSON, of a reply that `assertDone` let pass. What says that it is JSON and cannot be read was cut on the
 * way (an answer without a length just ends), and comes whole another time; anything else is not Gladly.
 */
export function jsonOf(reply: Reply): unknown {
  try {
    return parseStorableJson(reply.text);
  } catch {
    const cut = headerOf(reply, 'content-type')?.includes('json') === true;
    throw new GladlyError(
      cut ? { kind: 'connection', fault: 'reset' } : { kind: 'not_json' },
      reply.request,
      reply.status,
    );
  }
}

/** The answer is JSON, but not what this request is answered with. */
export const unexpected = (reply: Reply): GladlyError =>
  new GladlyError({ kind: 'unexpected' }, reply.request, reply.status);

export function headerOf(reply: Reply, name: string): string | undefined {
  const value = reply.headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** When Gladly wrote the answer, by its own clock (to the second); null when it does not say. */
export function dateOf(reply: Reply): Date | null {
  const ms = Date.parse(headerOf(reply, 'date') ?? '');
  return Number.isNaN(ms) ? null : new Date(ms);
}

function failureOf(reply: Reply, origin: string): Failure {
  const { status } = reply;
  if (status >= 300 && status < 400) return redirected(reply, origin);
  if (status >= 500 || status === 408) return { kind: 'server_error' };
  switch (status) {
    case 400:
    case 422:
      return { kind: 'bad_request' };
    case 401:
      return { kind: 'unauthorized' };
    case 403:
      return { kind: 'forbidden' };
    case 404:
      return { kind: 'not_found' };
    case 429:
      return { kind: 'rate_limited', retryAfterMs: quotaAnswer(status, reply.headers).retryAfterMs ?? null };
    default:
      return { kind: 'unexpected' };
  }
}

/** To somewhere else on the same host, or to another host: told apart here, and not followed. */
function redirected(reply: Reply, origin: string): Failure {
  const location = locationOf(reply, origin);
  if (location && location.origin !== origin) return { kind: 'redirect', target: location.host };
  return { kind: 'moved' };
}

function locationOf(reply: Reply, origin: string): URL | null {
  const location = headerOf(reply, 'location');
  return location === undefined ? null : URL.parse(location, origin);
}

/** The id at the end of a `Location`. */
export function idInLocation(reply: Reply, origin: string): string | null {
  return lastSegment(locationOf(reply, origin)) ?? null;
}

function lastSegment(url: URL | null): string | undefined {
  // Anything else, such as a sign-in page, is no resource that moved.
  if (!url?.pathname.startsWith('/api/v1/')) return undefined;
  const segment = url.pathname.split('/').at(-1) ?? '';
  try {
    return textOr(decodeURIComponent(segment));
  } catch {
    return undefined;
  }
}

/** Gladly's `errors`, as a list or, in some of its examples, as one object (gladly.md 2.4). */
function detailsOf(text: string): GladlyErrorDetail[] {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return [];
  }
  const errors = isObject(body) ? body['errors'] : undefined;
  const list: unknown[] = Array.isArray(errors) ? errors : [errors];
  return list.filter(isObject).map(detailOf);
}

function detailOf(raw: JsonObject): GladlyErrorDetail {
  const attr = textOr(raw['attr']);
  const code = textOr(raw['code']);
  const detail = textOr(raw['detail']);
  const meta = raw['meta'];
  return {
    ...(attr === undefined ? {} : { attr }),
    ...(code === undefined ? {} : { code }),
    ...(detail === undefined ? {} : { detail }),
    ...(isObject(meta) ? { meta } : {}),
  };
}
