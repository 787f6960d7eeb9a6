import type { IncomingMessage } from 'node:http';

/**
 * Who sent it. With `proxies` balancers of ours in front, each adds to X-Forwarded-For the address it saw: the one that
 * many places from the end was written by the outermost of ours. What stands before it anybody can make up.
 */
export function senderAddress(request: IncomingMessage, proxies: number): string {
  const direct = request.socket.remoteAddress ?? 'unknown';
  if (proxies === 0) return direct;
  const header = request.headers['x-forwarded-for'];
  const seen = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',');
  const address = seen.at(-proxies)?.trim();
  return address === undefined || address === '' ? direct : address;
}
