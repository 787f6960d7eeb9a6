import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Server } from 'node:net';

/** Something that a customer's domain may lead to, other than a whole Gladly. */
export interface Place {
  /** In GLADLY_EXTRA_HOSTS. */
  readonly entry: string;
  /** What is typed as the domain. */
  readonly host: string;
  close(): Promise<void>;
}

/** What is answered to `GET /api/v1/organization` and so on: the body of a 200, or status and body. Whatever is not named is a 404. */
export type Answers = Readonly<Record<string, unknown>>;

export class Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: http.OutgoingHttpHeaders;
  constructor(status: number, body: unknown, headers: http.OutgoingHttpHeaders = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** A server that answers always the same, whoever asks. */
export async function answering(answers: Answers): Promise<Place> {
  const server = http.createServer((request, response) => {
    const found = answers[`${request.method} ${request.url}`] ?? new Answer(404, { errors: [] });
    const { status, body, headers } = found instanceof Answer ? found : new Answer(200, found);
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  });
  const host = `127.0.0.1:${await listen(server)}`;
  return { entry: host, host, close: () => closing(server) };
}

/** A certificate for localhost that nobody has a reason to trust; it vouches for nothing but this test. */
export async function untrusted(): Promise<Place> {
  const server = https.createServer(SELF_SIGNED, (_, response) => response.end('{}'));
  const port = await listen(server);
  return { entry: `https://localhost:${port}`, host: `localhost:${port}`, close: () => closing(server) };
}

/** A port at which nobody listens. */
export async function nobodyThere(): Promise<Place> {
  const server = http.createServer();
  const host = `127.0.0.1:${await listen(server)}`;
  await closing(server);
  return { entry: host, host, close: async () => undefined };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function closing(server: http.Server | https.Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

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
