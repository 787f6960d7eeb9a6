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
  const address = withoutPort(seen.at(-proxies)?.trim() ?? '');
  return address === '' ? direct : address;
}

/** Some balancers write the sender's port too, `203.0.113.7:4711` or `[2001:db8::1]:4711`, which differs with each connection. */
function withoutPort(entry: string): string {
  const { v6, v4 } = WITH_PORT.exec(entry)?.groups ?? {};
  return v6 ?? v4 ?? entry;
}
const WITH_PORT = /^(?:\[(?<v6>[^\]]*)\](?::\d+)?|(?<v4>\d+\.\d+\.\d+\.\d+):\d+)$/;
