import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, type Socket, Server as TcpServer } from 'node:net';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';

export interface ServerLimits {
  /** A sender that opens a connection and says nothing, or drips headers. */
  readonly headersTimeoutMs: number;
  /** Headers and body together. */
  readonly requestTimeoutMs: number;
  /** How often the two are looked at. */
  readonly checkIntervalMs: number;
  readonly keepAliveMs: number;
  readonly maxHeaderBytes: number;
  readonly maxHeaders: number;
  readonly maxConnections: number;
}

export const SERVER_LIMITS: ServerLimits = {
  headersTimeoutMs: 5_000,
  // Gladly gives up after 15 s (gladly.md 1.3): nobody waits for the answer to a slower one.
  requestTimeoutMs: 15_000,
  checkIntervalMs: 1_000,
  // Longer than a balancer keeps an idle connection (AWS's 60 s), so that it is the one to close: a request on a connection that we
  // are closing is lost.
  keepAliveMs: 65_000,
  maxHeaderBytes: 16 * 1024,
  maxHeaders: 100,
  // 10,000 idle ones (about 15 kB each) leave as many for those that deliver.
  maxConnections: 20_000,
};

export interface LeaveOptions {
  /** For the balancer to notice that this process is not ready any more: it goes on accepting, and each answer ends its connection. */
  readonly noticeMs: number;
  /** Then requests that are under way have so long. */
  readonly graceMs: number;
}

const IDLE_LOOK_MS = 20;
/** Connections opened at the last moment have so long to send their request and be told that it is their last. */
const LAST_CALL_MS = 500;

export interface HttpEdge {
  readonly server: Server;
  /** Port 0: any free one. Answers with the port. */
  listen(port: number, host: string, options?: { readonly reusePort?: boolean }): Promise<number>;
  /** From the beginning of `leave` on. */
  readonly isLeaving: boolean;
  /** Stops without breaking off a request: see LeaveOptions. Resolves when the last connection is closed. */
  leave(options: LeaveOptions): Promise<void>;
}

/** What the server serves. */
export interface Served {
  /** Is given every request. */
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  /** The whole HTTP answer, as text, to what never became a request or stopped being one half-way. `code`: node's name of the error. */
  readonly brokenAnswer: (code: string) => string;
}

/** The HTTP server of the process, with its limits set on purpose. */
export function createHttpEdge({ onRequest, brokenAnswer }: Served, given: Partial<ServerLimits> = {}): HttpEdge {
  const limits: ServerLimits = { ...SERVER_LIMITS, ...given };
  let isLeaving = false;
  const server = createServer(
    {
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: limits.checkIntervalMs,
      keepAliveTimeout: limits.keepAliveMs,
      maxHeaderSize: limits.maxHeaderBytes,
      // Answers are small and whole: waiting for more to put into the packet would only delay them.
      noDelay: true,
    },
    (request, response) => {
      if (isLeaving) response.shouldKeepAlive = false;
      onRequest(request, response);
    },
  );
  server.maxHeadersCount = limits.maxHeaders;
  server.maxConnections = limits.maxConnections;
  server.on('clientError', (error: BrokenError, socket: Socket) => answerBroken(error, socket, brokenAnswer));

  return {
    server,
    get isLeaving() {
      return isLeaving;
    },
    listen: (port, host, { reusePort = false } = {}) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen({ port, host, backlog: 1_024, reusePort }, () => {
          server.off('error', reject);
          resolve((server.address() as AddressInfo).port);
        });
      }),
    async leave({ noticeMs, graceMs }) {
      isLeaving = true;
      await pause(noticeMs);
      // On a busy machine connections and requests may lie in the kernel that were sent long ago: they are read first.
      for (let n = 0; n < 2; n += 1) await turn();
      // Only the listening ends here: http's own close would cut idle connections as well, and a request may be on its way on
      // one that was opened just now.
      const closed = new Promise<void>((resolve) => {
        TcpServer.prototype.close.call(server, () => resolve());
      });
      await Promise.race([closed, pause(Math.min(noticeMs, LAST_CALL_MS))]);
      // Again and again: a connection whose request began before is idle only now.
      const idle = setInterval(() => server.closeIdleConnections(), IDLE_LOOK_MS);
      const cut = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearInterval(idle);
      clearTimeout(cut);
    },
  };
}

type BrokenError = Error & { readonly code?: string };

/** What never became a request, or stopped being one half-way, is told why before its connection is closed. */
function answerBroken({ code = '' }: BrokenError, socket: Socket, brokenAnswer: Served['brokenAnswer']): void {
  if (!socket.writable || code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  socket.end(brokenAnswer(code));
  // A sender that goes on writing, or never reads, does not keep the socket.
  setTimeout(() => socket.destroy(), 1_000).unref();
}
