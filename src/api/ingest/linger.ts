import type { IncomingMessage, ServerResponse } from 'node:http';
import { answer } from './answers.ts';
import type { Outcome } from './outcomes.ts';

/** What is read of a body that nobody wants, so that its sender gets to read the answer; then the connection is cut. */
const LINGER_BYTES = 1024 * 1024;
const LINGER_MS = 2_000;

/**
 * Answers while the body is still coming, and closes. Closing at once would reset the connection under a sender that is still
 * writing, and it would never see why (RFC 9112, 9.6).
 */
export function lingerThenEnd(request: IncomingMessage, response: ServerResponse, outcome: Outcome): void {
  let left = LINGER_BYTES;
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  answer(response, outcome, { last: true, open: true });
  request.on('data', (chunk: { readonly length: number }) => {
    left -= chunk.length;
    if (left < 0) end();
  });
  request.once('end', end);
  request.once('close', end);
  request.resume();
}
