import { hash, timingSafeEqual } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import type { PGlite } from '@electric-sql/pglite';
import { type Frame, FrameReader } from './frames.ts';
import { fatal, passwordPlease, simpleQuery, sync, welcome } from './replies.ts';

/**
 * Serves one PGlite, which is a single Postgres session, to many connections.
 *
 * `@electric-sql/pglite-socket` 0.2.17 hands single protocol messages of different connections to that session in turn.
 * When a Parse fails, Postgres skips every message until the next Sync, whoever sent it: other connections then
 * lose answers (measured: `portal "" does not exist` within 100 ms of ten mixed clients). So here the unit is a whole exchange, up to
 * its Sync, and a connection that is inside a transaction has the session to itself until the transaction ends.
 *
 * What remains of the single session: `SET`, named statements and session advisory locks are shared by all connections.
 */
export interface PostgresServer {
  readonly port: number;
  /** Writes what Postgres keeps in its log to its tables, in turn with the clients' exchanges. */
  checkpoint(): void;
  close(): Promise<void>;
}

export interface PostgresServerOptions {
  readonly db: PGlite;
  readonly port: number;
  /** Every client has to know it; without it whoever reaches the port is let in, under any name. */
  readonly password?: string | undefined;
  /** A transaction holds everybody back, so a client that sits in one for this long is thrown out. */
  readonly idleInTransactionMs: number;
  /** The session is beyond repair (a trap in the WebAssembly): the process has to be replaced. */
  readonly onBroken: (error: unknown) => void;
}

/** Messages after which Postgres says ReadyForQuery: Query, Sync, FunctionCall. */
const ENDS_EXCHANGE = new Set(['Q', 'S', 'F']);
const FLUSH = 'H';
const TERMINATE = 'X';
const PASSWORD = 'p';

interface Client {
  send(bytes: Buffer): void;
  /** Says why, and hangs up. */
  dismiss(sqlState: string, text: string): void;
}

interface Connection extends Client {
  readonly id: number;
  readonly socket: Socket;
  readonly frames: FrameReader;
  isKnown: boolean;
  /** The messages of the exchange that is not complete yet. */
  partial: Buffer[];
}

interface Exchange {
  readonly from: Client;
  readonly bytes: Buffer;
  /** False for what a Flush sends ahead of the rest of its exchange. */
  readonly whole: boolean;
}

/** Whom the server's own exchanges answer to. */
const NOBODY: Client = { send: () => undefined, dismiss: () => undefined };

class Session {
  readonly #options: PostgresServerOptions;
  #waiting: Exchange[] = [];
  #owner: { client: Client; betweenMessages: boolean } | undefined;
  #ownerTimer: NodeJS.Timeout | undefined;
  #busy = false;

  constructor(options: PostgresServerOptions) {
    this.#options = options;
  }

  submit(exchange: Exchange): void {
    this.#waiting.push(exchange);
    void this.#work();
  }

  /** Forgets a client, rolling back what it left open. */
  drop(client: Client): void {
    this.#waiting = this.#waiting.filter((exchange) => exchange.from !== client);
    if (this.#owner?.client !== client) return;
    const abandon = this.#owner.betweenMessages ? [sync(), simpleQuery('ROLLBACK')] : [simpleQuery('ROLLBACK')];
    this.#waiting.unshift({ from: client, bytes: Buffer.concat(abandon), whole: true });
    void this.#work();
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let exchange = this.#next(); exchange !== undefined; exchange = this.#next()) {
      try {
        await this.#run(exchange);
      } catch (error) {
        this.#options.onBroken(error);
        return;
      }
    }
    this.#busy = false;
  }

  #next(): Exchange | undefined {
    const owner = this.#owner?.client;
    if (owner === undefined) return this.#waiting.shift();
    const at = this.#waiting.findIndex((exchange) => exchange.from === owner);
    return at < 0 ? undefined : this.#waiting.splice(at, 1)[0];
  }

  async #run({ from, bytes, whole }: Exchange): Promise<void> {
    clearTimeout(this.#ownerTimer);
    const { db, idleInTransactionMs } = this.#options;
    await db.execProtocolRawStream(bytes, {
      // The bytes are a view of memory that the next call overwrites.
      onRawData: (answer) => from.send(Buffer.from(answer)),
    });
    this.#owner = !whole || db.isInTransaction() ? { client: from, betweenMessages: !whole } : undefined;
    if (this.#owner !== undefined) {
      this.#ownerTimer = setTimeout(() => {
        from.dismiss('25P03', 'terminating connection due to idle-in-transaction timeout');
        this.drop(from);
      }, idleInTransactionMs);
    }
  }
}

/** Listens on 127.0.0.1; rejects when the port is taken. Port 0 takes a free one. */
export async function servePostgres(options: PostgresServerOptions): Promise<PostgresServer> {
  const { rows } = await options.db.query<{ server_version: string }>('SHOW server_version');
  const version = rows[0]?.server_version ?? '17';
  const session = new Session(options);
  const connections = new Set<Connection>();
  let lastId = 0;

  function handle(connection: Connection, frame: Frame): void {
    const { socket } = connection;
    if (frame.kind === 'message') handleMessage(connection, frame.type, frame.bytes);
    else if (frame.kind === 'ssl') socket.write('N');
    else if (frame.kind === 'cancel') socket.end();
    else if (options.password === undefined) letIn(connection);
    else socket.write(passwordPlease());
  }

  function letIn(connection: Connection): void {
    connection.isKnown = true;
    connection.socket.write(welcome(version, connection.id));
  }

  /** The message is its type, its length, and the password with a NUL at its end. */
  function checkPassword(connection: Connection, type: string, bytes: Buffer): void {
    const given = hash('sha256', bytes.subarray(5, -1), 'buffer');
    const wanted = hash('sha256', options.password ?? '', 'buffer');
    if (type === PASSWORD && timingSafeEqual(given, wanted)) letIn(connection);
    else connection.dismiss('28P01', 'password authentication failed');
  }

  function handleMessage(connection: Connection, type: string, bytes: Buffer): void {
    if (type === TERMINATE) {
      connection.socket.end();
      return;
    }
    if (!connection.isKnown) {
      checkPassword(connection, type, bytes);
      return;
    }
    connection.partial.push(bytes);
    const whole = ENDS_EXCHANGE.has(type);
    if (!whole && type !== FLUSH) return;
    session.submit({ from: connection, bytes: Buffer.concat(connection.partial), whole });
    connection.partial = [];
  }

  const server = createServer({ noDelay: true }, (socket) => {
    lastId += 1;
    const connection: Connection = {
      id: lastId,
      socket,
      frames: new FrameReader(),
      isKnown: false,
      partial: [],
      send: (bytes) => void (socket.writable && socket.write(bytes)),
      dismiss: (sqlState, text) => void socket.end(fatal(sqlState, text)),
    };
    connections.add(connection);
    socket.on('data', (chunk) => {
      try {
        connection.frames.push(chunk);
        for (let frame = connection.frames.next(); frame; frame = connection.frames.next()) handle(connection, frame);
      } catch (error) {
        connection.dismiss('08P01', error instanceof Error ? error.message : 'protocol violation');
      }
    });
    // A reset is how a killed client says goodbye; 'close' follows and does the rest.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      connections.delete(connection);
      session.drop(connection);
    });
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return {
    port: address.port,
    checkpoint: () => session.submit({ from: NOBODY, bytes: simpleQuery('CHECKPOINT'), whole: true }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const { socket } of connections) socket.destroy();
      }),
  };
}
