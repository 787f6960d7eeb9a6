import { type Failure, GladlyError, type GladlyErrorDetail } from './errors.ts';
import { isId } from './ids.ts';
import { isObject, type JsonObject, parseStorableJson, textOr } from './json.ts';
import { quotaAnswer } from './quota.ts';
import type { Reply } from './transport.ts';

/** Throws unless the status says that Gladly did what was asked. `origin` tells our host from another. */
export function assertDone(reply: Reply, origin: string): void {
  if (reply.status >= 200 && reply.status < 300) return;
  const details = detailsOf(reply.text);
  const failure = failureOf(reply, origin, details);
  const newId = failure.kind === 'moved' ? newConversationId(reply, origin, details) : null;
  throw new GladlyError(failure, reply.request, reply.status, details, newId);
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

function failureOf(reply: Reply, origin: string, details: readonly GladlyErrorDetail[]): Failure {
  const { status } = reply;
  if (status >= 300 && status < 400) return redirected(reply, origin, details);
  if (status >= 500 || status === 408) return { kind: 'server_error' };
  switch (status) {
    case 400:
    case 422:
      return { kind: 'bad_request' };
    case 401:
      return { kind: 'unauthorized', foreign: isPage(reply) };
    case 403:
      return { kind: 'forbidden', foreign: isPage(reply) };
    case 404:
      // Gladly says what it does not have in JSON (gladly.md 2.4); a gateway has its own page, a line of text, or nothing.
      return { kind: 'not_found', foreign: details.length === 0 };
    case 429:
      return { kind: 'rate_limited', retryAfterMs: quotaAnswer(status, reply.headers).retryAfterMs ?? null };
    default:
      return { kind: 'unexpected' };
  }
}

/** To somewhere else on the same host, or to another host: told apart here, and not followed. */
function redirected(reply: Reply, origin: string, details: readonly GladlyErrorDetail[]): Failure {
  const location = locationOf(reply, origin);
  if (location && location.origin !== origin) return { kind: 'redirect', target: location.host };
  return { kind: 'moved', foreign: lastSegment(location) === undefined && details.length === 0 };
}

/**
 * The conversation that an answer on our host leads to, by its `Location`, or without one as Gladly names a customer's new id (gladly.md 2.2).
 * Only the id is taken: nothing is ever sent to a URL that an answer names.
 */
function newConversationId(reply: Reply, origin: string, details: readonly GladlyErrorDetail[]): string | null {
  const location = locationOf(reply, origin);
  const named = details.find(({ attr, code }) => attr === 'conversationId' && code === 'moved')?.meta?.['new'];
  const id = headerOf(reply, 'location') === undefined ? textOr(named) : location && conversationAt(location);
  return typeof id === 'string' && isId(id) ? id : null;
}

const conversationAt = ({ pathname, search }: URL): string | undefined =>
  search === '' ? decoded(/^\/api\/v1\/conversations\/([^/]+)(?:\/items)?$/.exec(pathname)?.[1] ?? '') : undefined;

/** A web page, as a firewall or a proxy in front of Gladly makes one. */
const isPage = (reply: Reply): boolean => headerOf(reply, 'content-type')?.includes('html') === true;

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
  return textOr(decoded(url.pathname.split('/').at(-1) ?? ''));
}

/** Undefined when it is no encoding of anything. */
function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
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
