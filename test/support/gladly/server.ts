import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { onTestFinished } from 'vitest';
import { createGladlyClient, type GladlyClient } from '../../../src/gladly/client.ts';
import { type Connections, createConnections } from '../../../src/gladly/connect.ts';
import { GladlyError } from '../../../src/gladly/errors.ts';
import { type GladlyHost, parseGladlyHost } from '../../../src/gladly/host.ts';
import { createGovernor } from '../../../src/gladly/quota.ts';
import type { Limits } from '../../../src/gladly/transport.ts';

export const TOKEN = 'tok-3f9a-secret';
export const EMAIL = 'integration@acme.example';

/** A throwaway key and certificate for `localhost` that nobody has a reason to trust. */
const SELF_SIGNED = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgiYHxK1wetVsKeUEH
u9CxgIQC0MORt1YMdauQ8gj4zoShRANCAARDgr1DL49ZgDKP7DhUatnWYICN/fn9
DXvQOp/6UuFQEPEylsh7XONd2QyAReaDIFtrHNUiSRqz6sg3oCUYvEGu
-----END PRIVATE KEY-----`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBlDCCATugAwIBAgIUEt7cVyR2VB77vFmN+h6jXYdZJaQwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTA0MjI0NVoYDzIxMjYxMDI4
MDQyMjQ1WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARDgr1DL49ZgDKP7DhUatnWYICN/fn9DXvQOp/6UuFQEPEylsh7XONd
2QyAReaDIFtrHNUiSRqz6sg3oCUYvEGuo2kwZzAdBgNVHQ4EFgQUYCwJpuThIazX
Qbfhzplz6o/IhEMwHwYDVR0jBBgwFoAUYCwJpuThIazXQbfhzplz6o/IhEMwDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
RwAwRAIgB0xH/tzM+ZDNMXGW3pd82IbHqEOz+LIHv/n+4Y0KQ34CID2+BGKsdH7O
aHgflKWKGMoEM7BsIDONOR1FPdKaCirP
-----END CERTIFICATE-----`,
};

export type Answerer = (request: http.IncomingMessage, response: http.ServerResponse) => void;

async function listen(server: net.Server): Promise<number> {
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Each starts a real server on a free port, ends it with the test, and returns `127.0.0.1:port`. */
export const startHttp = async (answer: Answerer): Promise<string> =>
  `127.0.0.1:${await listen(http.createServer(answer))}`;
export const startTls = async (answer: Answerer): Promise<string> =>
  `https://localhost:${await listen(https.createServer(SELF_SIGNED, answer))}`;
export const startTcp = async (connected: (socket: net.Socket) => void): Promise<string> =>
  `127.0.0.1:${await listen(net.createServer(connected))}`;

export function extraHost(entry: string): GladlyHost {
  const parsed = parseGladlyHost(entry, [entry]);
  if (!parsed.ok) throw new Error(`not a host: ${entry}`);
  return parsed.host;
}

export function newConnections(options: Parameters<typeof createConnections>[0] = {}): Connections {
  const connections = createConnections(options);
  onTestFinished(() => connections.close());
  return connections;
}

/** A client without a quota, for everything but the quota's own tests. */
export function clientOf(host: GladlyHost, limits: Partial<Limits> = {}, connections = newConnections()): GladlyClient {
  return createGladlyClient({
    host,
    email: EMAIL,
    apiToken: TOKEN,
    governor: createGovernor({ unlimited: true }),
    connections,
    limits,
  });
}

export function json(
  response: http.ServerResponse,
  status: number,
  body: unknown,
  headers: http.OutgoingHttpHeaders = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** The GladlyError that this ends with; anything else fails the test. */
export async function failureOf(promise: Promise<unknown>): Promise<GladlyError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof GladlyError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}
