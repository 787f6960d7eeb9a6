import { Buffer } from 'node:buffer';
import type { ServerResponse } from 'node:http';
import { answerOf, type Outcome, outcomeNames } from './outcomes.ts';

interface Rendered {
  readonly status: number;
  readonly headers: string[];
  readonly lastHeaders: string[];
  readonly body: Buffer;
}

/** Answers are the same bytes each time, so they are made once. Null: there is nobody to answer. */
const RENDERED: ReadonlyMap<Outcome, Rendered | null> = new Map(outcomeNames.map((name) => [name, render(name)]));

function render(outcome: Outcome): Rendered | null {
  const { status, title, retryAfter } = answerOf(outcome);
  if (status === null) return null;
  const problem = title === undefined ? null : { type: 'about:blank', status, title, code: outcome };
  const body = Buffer.from(problem === null ? 'ok' : JSON.stringify(problem));
  const headers = ['Content-Type', problem === null ? 'text/plain' : 'application/problem+json'];
  headers.push('Content-Length', String(body.length));
  if (retryAfter !== undefined) headers.push('Retry-After', String(retryAfter));
  if (status === 405) headers.push('Allow', 'POST');
  if (status === 401) headers.push('WWW-Authenticate', 'ApiKey header="x-api-key"');
  return { status, headers, lastHeaders: [...headers, 'Connection', 'close'], body };
}

/**
 * Answers through node:http. `last`: the connection is to be closed. `open`: the answer is complete for its reader, but the response
 * is not ended yet, since node would close the connection with it.
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

/** The whole answer as text, for a socket that never became a request. Always the last one on its connection. */
export function rawAnswer(outcome: Outcome): string {
  const rendered = RENDERED.get(outcome);
  if (rendered === null || rendered === undefined) return '';
  const lines = [`HTTP/1.1 ${rendered.status} ${outcome}`];
  for (let at = 0; at < rendered.headers.length; at += 2) {
    lines.push(`${rendered.headers[at]}: ${rendered.headers[at + 1]}`);
  }
  return `${lines.join('\r\n')}\r\nConnection: close\r\n\r\n${rendered.body.toString()}`;
}

/** The same by node's name of what broke the request. */
export const brokenAnswer = (code: string): string => rawAnswer(BROKEN[code] ?? 'malformed');
