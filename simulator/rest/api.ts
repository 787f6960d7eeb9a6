import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { Settings } from '../settings.ts';
import type { Users } from '../store/users.ts';
import { type Answer, type ApiRequest, errors } from './answer.ts';
import { authenticate, authorize } from './auth.ts';
import type { Calls } from './calls.ts';
import { type Faults, faultyAnswer, sendBroken, withInserted } from './faults.ts';
import { type Quota, quotaHeaders } from './quota.ts';
import { matchRoute, type Route } from './router.ts';

export type ApiParts = {
  routes: readonly Route[];
  users: Users;
  clock: Clock;
  settings: Pick<Settings, 'nodeClocksMs'>;
  quota: Quota;
  faults: Faults;
  calls: Calls;
  /** Aborted when the simulator closes. */
  closing: AbortSignal;
  log: Logger;
};

/**
 * Answers one request to /api/v1: the quota first, as a gateway in front would (it counts every client), then a fault
 * if a test has asked for one, then token, role, and the endpoint itself.
 */
export async function answerApi(
  parts: ApiParts,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  body: string,
): Promise<void> {
  const { clock, quota, faults, calls, log } = parts;
  const method = request.method ?? 'GET';
  const path = url.pathname;
  const match = matchRoute(parts.routes, method, path);
  const endpoint = `${method} ${match?.route.path ?? 'unknown'}`;
  const client = clientOf(request);
  const verdict = quota.take(method);

  // Gladly's own clock, of the node that answers.
  const { nodeClocksMs } = parts.settings;
  const offMs = nodeClocksMs[Math.floor(Math.random() * nodeClocksMs.length)] ?? 0;
  response.sendDate = false;
  response.setHeader('Date', new Date(clock.now() + offMs).toUTCString());
  for (const [name, value] of Object.entries(quotaHeaders(verdict))) response.setHeader(name, value);

  if (verdict !== undefined && !verdict.allowed) {
    calls.record(endpoint, client, 429);
    // The body is not documented, nor is Retry-After (gladly.md 2.4): this is how a Kong gateway words it.
    send(response, {
      status: 429,
      headers: { 'content-type': 'application/json' },
      body: '{"message":"API rate limit exceeded"}',
    });
    return;
  }

  const fault = faults.take(method, path);
  const replaced = fault === undefined ? undefined : await faultyAnswer(fault, parts.closing);
  if (replaced === 'hang') {
    calls.record(endpoint, client, 0);
    return;
  }
  const answer = replaced ?? (await realAnswer(parts, request, match, { method, path, query: url.searchParams, body }));
  calls.record(endpoint, client, answer.status);
  log.debug({ endpoint, status: answer.status, fault: fault?.id }, 'api call');
  if (fault !== undefined && replaced === undefined && (fault.cut || fault.malformed))
    sendBroken(fault, answer, response);
  else send(response, fault === undefined ? answer : withInserted(fault, answer));
}

async function realAnswer(
  { users }: ApiParts,
  request: IncomingMessage,
  match: ReturnType<typeof matchRoute<Route>>,
  rest: Pick<ApiRequest, 'method' | 'path' | 'query' | 'body'>,
): Promise<Answer> {
  const user = authenticate(users, request.headers.authorization);
  if ('status' in user) return user;
  if (match === undefined) return errors(404, { code: 'not_exist', detail: `${rest.path} does not exist` });
  const { route, params } = match;
  return authorize(user, route) ?? (await route.handle({ ...rest, params, headers: request.headers, user }));
}

/** Who calls, for the statistics: the Basic user, or else the user agent. */
function clientOf(request: IncomingMessage): string {
  const encoded = /^Basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const user = encoded === undefined ? '' : (Buffer.from(encoded, 'base64').toString('utf8').split(':')[0] ?? '');
  return `${user || 'nobody'} ${request.headers['user-agent'] ?? ''}`.trim();
}

export function send(response: ServerResponse, { status, headers, body }: Answer): void {
  const bytes = Buffer.from(body);
  const noBody = status === 204 || status === 304;
  response.writeHead(status, noBody ? headers : { ...headers, 'content-length': bytes.length });
  response.end(noBody ? undefined : bytes);
}
