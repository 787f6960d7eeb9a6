import { Buffer } from 'node:buffer';
import type { ServerResponse } from 'node:http';
import { answerOf, type Outcome, outcomeNames } from './outcomes.ts';

interface Rendered {
  readonly status: number;
  readonly headers: string[];
  readonly lastHeaders: string[];
  readonly body: Buffer;
}

/** The bytes of each answer, rendered once at start. Null for an outcome that has no answer, because the connection is gone. */
const RENDERED: ReadonlyMap<Outcome, Rendered | null> = new Map(outcomeNames.map((name) => [name, render(name)]));

function render(outcome: Outcome): Rendered | null {
  const { status, title, retryAfter } = answerOf(outcome);
  if (status === null) return null;
  const problem = title === undefined ? null : { type: 'about:blank', status, title, code: outcome };
  const body = Buffer.from(problem === null ? 'ok' : JSON.stringify(problem));
  const headers = ['Content-Type', problem === null ? 'text/plain' : 'application/problem+json'];
  headers.push('Content-Length', String(body.length));
  if (problem !== null) headers.push('Cache-Control', 'no-store', 'X-Content-Type-Options', 'nosniff');
  if (retryAfter !== undefined) headers.push('Retry-After', String(retryAfter));
  if (status === 405) headers.push('Allow', 'POST');
  if (status === 415) headers.push('Accept-Encoding', 'gzip, deflate, br');
  if (status === 401) headers.push('WWW-Authenticate', 'ApiKey header="x-api-key"');
  return { status, headers, lastHeaders: [...headers, 'Connection', 'close'], body };
}

/**
 * Sends the answer of an outcome through node:http; destroys the response when the outcome has none. `last`: adds `Connection: close`. `open`:
 * writes the whole answer but does not end the response, because node closes the connection when a last response ends.
 */
export function answer(response: ServerResponse, outcome: Outcome, { last = false, open = false } = {}): void {
  const rendered = RENDERED.get(outcome);
  if (rendered === null || rendered === undefined) {
    response.destroy();
    return;
  }
  response.writeHead(rendered.status, last ? rendered.lastHeaders : rendered.headers);
  if (open) response.write(rendered.body);
  else response.end(rendered.body);
}

const BROKEN: Readonly<Record<string, Outcome>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'too_slow',
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'too_large',
};

/** The whole HTTP answer as text, with `Connection: close`, for a socket whose bytes did not become a request. '' for an outcome without answer. */
export function rawAnswer(outcome: Outcome): string {
  const rendered = RENDERED.get(outcome);
  if (rendered === null || rendered === undefined) return '';
  const lines = [`HTTP/1.1 ${rendered.status} ${outcome}`];
  for (let at = 0; at < rendered.headers.length; at += 2) {
    lines.push(`${rendered.headers[at]}: ${rendered.headers[at + 1]}`);
  }
  return `${lines.join('\r\n')}\r\nConnection: close\r\n\r\n${rendered.body.toString()}`;
}

/** `rawAnswer` for the error code of node's `clientError` event; `malformed` for a code that is not listed above. */
export const brokenAnswer = (code: string): string => rawAnswer(BROKEN[code] ?? 'malformed');
