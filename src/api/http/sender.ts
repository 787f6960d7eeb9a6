import type { IncomingMessage } from 'node:http';

/**
 * The address of the sender: of the connection, or with `proxies` own balancers in front the `proxies`-th last entry of X-Forwarded-For. Each
 * balancer appends the address that it saw, so the outermost own one wrote that entry. Entries before it come from the sender and may be forged.
 */
export function senderAddress(request: IncomingMessage, proxies: number): string {
  const direct = request.socket.remoteAddress ?? 'unknown';
  if (proxies === 0) return direct;
  const header = request.headers['x-forwarded-for'];
  const seen = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',');
  const address = seen.at(-proxies)?.trim();
  return address === undefined || address === '' ? direct : address;
}
