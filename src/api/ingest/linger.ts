import type { IncomingMessage, ServerResponse } from 'node:http';
import { answer } from './answers.ts';
import type { Outcome } from './outcomes.ts';

/** Bytes and milliseconds that the rest of an unwanted body is read for, so that its sender reads the answer; then the connection is closed. */
const LINGER_BYTES = 1024 * 1024;
const LINGER_MS = 2_000;

/**
 * Answers while the body is still arriving, and then closes the connection. Closing it immediately would reset it while the sender is writing,
 * and the sender might never read the answer (RFC 9112, 9.6).
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
