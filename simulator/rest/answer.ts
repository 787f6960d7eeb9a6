import type { IncomingHttpHeaders } from 'node:http';
import type { User } from '../store/users.ts';

/** A request to Gladly's API, after routing. */
export type ApiRequest = {
  method: string;
  path: string;
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: string;
  user: User;
};

export type Answer = { status: number; headers: Record<string, string>; body: string | Buffer };

/** One entry of Gladly's `errors`. Codes: gladly.md 2.4. */
export type ApiError = { attr?: string; code: string; detail: string; meta?: Record<string, string> };

export function json(status: number, value: unknown, headers: Record<string, string> = {}): Answer {
  return rawJson(status, JSON.stringify(value), headers);
}

export function rawJson(status: number, body: string, headers: Record<string, string> = {}): Answer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body };
}

export function empty(status: number, headers: Record<string, string> = {}): Answer {
  return { status, headers, body: '' };
}

export function errors(status: number, ...list: readonly ApiError[]): Answer {
  return json(status, { errors: list });
}

/** Some of Gladly's 404 examples show `errors` as an object instead of a list (gladly.md 2.4). */
export function errorsAsObject(status: number, error: ApiError): Answer {
  return json(status, { errors: error });
}

/** `[a,b]` out of bodies that are JSON already. */
export function jsonList(bodies: readonly string[], headers: Record<string, string> = {}): Answer {
  return rawJson(200, `[${bodies.join(',')}]`, headers);
}
