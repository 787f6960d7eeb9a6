import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, type Socket, Server as TcpServer } from 'node:net';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';

export interface ServerLimits {
  /** Milliseconds from the first byte until the request headers must be complete. */
  readonly headersTimeoutMs: number;
  /** Milliseconds until headers and body must be complete. */
  readonly requestTimeoutMs: number;
  /** Milliseconds between two checks of these two times. */
  readonly checkIntervalMs: number;
  /** Milliseconds after which a connection without a request under way is closed, silently: one that is new, and one that was used. */
  readonly keepAliveMs: number;
  readonly maxHeaderBytes: number;
  readonly maxHeaders: number;
  readonly maxConnections: number;
}

/** The limits of production. */
export const SERVER_LIMITS: ServerLimits = {
  headersTimeoutMs: 5_000,
  // Gladly gives up after 15 s (gladly.md 1.3), so a slower request needs no answer.
  requestTimeoutMs: 15_000,
  checkIntervalMs: 1_000,
  // Longer than a balancer keeps an idle connection (60 s on AWS, 600 s on Google Cloud; docs/deploy.md), so that the balancer closes first: a request
  // that arrives while this process closes the connection is lost.
  keepAliveMs: 620_000,
  maxHeaderBytes: 16 * 1024,
  maxHeaders: 100,
  // The requirement is 10,000 idle connections (about 15 kB each) beside the deliveries, which have as many.
  maxConnections: 20_000,
};

export interface ShutdownOptions {
  /**
   * Milliseconds between the begin of the shutdown and the end of listening, for a balancer to see that this process is not ready any more.
   * Connections are accepted meanwhile, and each answer closes its connection.
   */
  readonly delayMs: number;
  /** Milliseconds that requests under way have after that; then their connections are cut. */
  readonly graceMs: number;
}

/** How often connections that have become idle are closed during the grace time. */
const CLOSE_IDLE_MS = 20;
/** Connections that are open when listening ends have this long, or `delayMs` if that is less, to send a request; then idle ones are closed. */
const LAST_REQUEST_MS = 500;

export interface HttpServer {
  /** For what this interface does not offer, as counting connections. */
  readonly nodeServer: Server;
  /**
   * Resolves with the port; port 0 takes any free one. Rejects with node's error (EADDRINUSE, EACCES) when it cannot listen. `reusePort`:
   * other processes may listen on the same port (SO_REUSEPORT).
   */
  listen(port: number, host: string, options?: { readonly reusePort?: boolean }): Promise<number>;
  /** From the call of `shutDown` on. */
  readonly isShuttingDown: boolean;
  /** Stops without cutting off a request: see ShutdownOptions. Resolves when the last connection is closed. */
  shutDown(options: ShutdownOptions): Promise<void>;
}

export interface HttpServerDeps {
  /** Called for every request. */
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  /** The whole HTTP answer, as text, to bytes that are no complete request. `code`: the code of node's `clientError` event. */
  readonly brokenAnswer: (code: string) => string;
}

/** The HTTP server of the process. It does not listen yet; limits that are not given are SERVER_LIMITS. */
export function createHttpServer(
  { onRequest, brokenAnswer }: HttpServerDeps,
  given: Partial<ServerLimits> = {},
): HttpServer {
  const limits: ServerLimits = { ...SERVER_LIMITS, ...given };
  let isShuttingDown = false;
  const server = createServer(
    {
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: limits.checkIntervalMs,
      keepAliveTimeout: limits.keepAliveMs,
      maxHeaderSize: limits.maxHeaderBytes,
      // Answers are small and written whole, so Nagle's algorithm would only delay them.
      noDelay: true,
    },
    (request, response) => {
      if (isShuttingDown) response.shouldKeepAlive = false;
      // The first request of a connection; node does so for the others. A request has limits of its own.
      if (request.socket.timeout !== 0) request.socket.setTimeout(0);
      onRequest(request, response);
    },
  );
  server.maxHeadersCount = limits.maxHeaders;
  server.maxConnections = limits.maxConnections;
  let open = 0;
  server.on('connection', (socket: Socket) => {
    open += 1;
    socket.once('close', () => {
      open -= 1;
    });
    // Until the first request; from then on node sets it, to keepAliveTimeout after each answer.
    socket.setTimeout(limits.keepAliveMs);
  });
  server.on('clientError', (error: BrokenError, socket: Socket) => {
    if (!isSilent(error, socket)) answerBroken(error, socket, brokenAnswer);
    // While connections run short, those that were never used go first.
    else if (open > limits.maxConnections * CROWDED) socket.destroy();
  });

  return {
    nodeServer: server,
    get isShuttingDown() {
      return isShuttingDown;
    },
    listen: (port, host, { reusePort = false } = {}) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen({ port, host, backlog: 1_024, reusePort }, () => {
          server.off('error', reject);
          resolve((server.address() as AddressInfo).port);
        });
      }),
    async shutDown({ delayMs, graceMs }) {
      isShuttingDown = true;
      await pause(delayMs);
      // On a busy machine the kernel may hold connections and requests that arrived long ago: two turns of the event loop read them.
      for (let n = 0; n < 2; n += 1) await turn();
      // Ends only the listening: http's own close would also close idle connections, and a request may be on its way on a new one.
      const closed = new Promise<void>((resolve) => {
        TcpServer.prototype.close.call(server, () => resolve());
      });
      await Promise.race([closed, pause(Math.min(delayMs, LAST_REQUEST_MS))]);
      // Repeated, because connections become idle when their request has been answered.
      const idle = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_MS);
      const cut = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearInterval(idle);
      clearTimeout(cut);
    },
  };
}

/** The part of maxConnections from which on connections run short. */
const CROWDED = 3 / 4;

type BrokenError = Error & { readonly code?: string };

/**
 * True for a new connection that has sent nothing within headersTimeoutMs. Proxies open connections before they need them, and would take a 408 for the
 * answer to the request that they send next. Node asks only once, and begins anew with the first byte.
 */
const isSilent = ({ code }: BrokenError, socket: Socket): boolean =>
  code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket.bytesRead === 0;

/** Answers bytes that are no complete request, and closes the connection. */
function answerBroken({ code = '' }: BrokenError, socket: Socket, brokenAnswer: HttpServerDeps['brokenAnswer']): void {
  if (!socket.writable || code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  socket.end(brokenAnswer(code));
  // Ends the socket of a sender that keeps writing or does not read.
  setTimeout(() => socket.destroy(), 1_000).unref();
}
