import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { answerControl, type ControlRoute } from './control/control.ts';
import { errors } from './rest/answer.ts';
import { type ApiParts, answerApi, send } from './rest/api.ts';

export type ServerParts = {
  host: string;
  port: number;
  api: ApiParts;
  control: readonly ControlRoute[];
  log: Logger;
};

export type Server = { url: string; close(): Promise<void> };

/** Larger than any request to Gladly or to the control API has to be. */
const LARGEST_BODY = 1_048_576;

/** Serves Gladly's API under /api, and the control API under /simulator. Rejects when the port is taken. */
export async function startServer({ host, port, api, control, log }: ServerParts): Promise<Server> {
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.parse(request.url ?? '/', 'http://simulator');
    const body = await readBody(request);
    if (url === null || body === undefined) {
      send(response, errors(400, { code: 'invalid', detail: 'the request cannot be read' }));
    } else if (url.pathname === '/simulator' || url.pathname.startsWith('/simulator/')) {
      send(response, await answerControl(control, request.method ?? 'GET', url, body));
    } else {
      await answerApi(api, request, response, url, body);
    }
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (!api.closing.aborted) log.error({ err: error, path: request.url?.split('?')[0] }, 'request went wrong');
      if (response.headersSent || api.closing.aborted) response.destroy();
      else send(response, errors(500, { code: 'temporary_failure', detail: 'the simulator went wrong' }));
    });
  });
  // Emissions at a rate and waits for deliveries may take minutes.
  server.requestTimeout = 0;

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    url: `http://${host}:${portOf(server.address())}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > LARGEST_BODY) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new TypeError('the server has no port');
  return address.port;
}
