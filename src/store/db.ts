import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { parseExactJson } from '../contracts/exact-json.ts';
import { cancelStatement } from './cancel.ts';
import { breaksConnection, isSerializationFailure, meansAnotherServer, StoreError, toStoreError } from './errors.ts';

type Scalar = string | number | boolean | Date | Uint8Array | null;
export type Param = Scalar | readonly Scalar[];

export interface Result<Row> {
  readonly rows: readonly Row[];
  /** Rows returned, or changed by a statement that returns none. */
  readonly count: number;
}

/** Where a statement runs: a store or a transaction. Each statement throws StoreError, whose text is free of values. */
export interface Queryable {
  /** int8 comes as a number, timestamptz as a Date, jsonb parsed, bytea as a Buffer. */
  query<Row extends object = Record<never, never>>(sql: string, params?: readonly Param[]): Promise<Result<Row>>;
}

/** A transaction. What must not run outside one asks for it by this type. */
export interface Tx extends Queryable {
  readonly inTransaction: true;
}

export interface TransactionOptions {
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable';
  /**
   * Walks along indexes even where the planner would rather collect and sort. Without statistics of a tenant (PGlite gathers none by
   * itself; elsewhere a new tenant with a backlog) it expects two rows, and sorts 100,000 to find ten: measured 60 ms instead of 1.
   */
  readonly alongIndexes?: boolean;
}

/** A pool of connections. `query` is a transaction of its own. */
export interface Db extends Queryable {
  /**
   * Runs `fn` in one transaction: committed when it returns, rolled back when it throws. `fn` runs again, up to five times, when it
   * lost against another transaction, so it must not do anything outside. Keep it short: in PGlite everybody else waits meanwhile.
   */
  transaction<T>(fn: (tx: Tx) => Promise<T>, options?: TransactionOptions): Promise<T>;
  close(): Promise<void>;
}

export interface DbOptions {
  /** Connections at most. */
  readonly max: number;
  /** Shown in pg_stat_activity. */
  readonly name: string;
  readonly log?: { warn(fields: object, message: string): void };
  /** A statement that takes longer is ended, in ms. */
  readonly statementTimeoutMs?: number;
  /** A connection that takes longer to get, from Postgres or from the pool, is given up, in ms. */
  readonly connectTimeoutMs?: number;
}

/** Our statements take milliseconds, and each step of a migration or a trim less than this. */
const STATEMENT_TIMEOUT_MS = 30_000;
/** In a transaction Postgres ends a statement itself; this is for a Postgres that does not answer at all, or has no timers (PGlite). */
const SILENCE_MS = 5_000;
/** Ingest has its own way around a Postgres that is out, but it has to know soon; Gladly waits 15 s. */
const CONNECT_TIMEOUT_MS = 5_000;
/** As the embedded server does (dev/parts/postgres.ts). */
const IDLE_IN_TRANSACTION_MS = 15_000;
const TRIES = 5;
const INT8 = 20;
const JSONB = 3802;

/**
 * Does not connect yet: the first statement does. Nothing here outlives a transaction in Postgres' session, so a pooler in transaction mode may stand
 * between: time limits are set inside each transaction, and a statement alone is limited from here (docs/deploy.md).
 */
export function openDb(url: string, options: DbOptions): Db {
  const { max, name, log, statementTimeoutMs = STATEMENT_TIMEOUT_MS, connectTimeoutMs = CONNECT_TIMEOUT_MS } = options;
  const address = new pg.Client({ connectionString: url });
  const pool = new pg.Pool({
    connectionString: url,
    max,
    application_name: name,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: statementTimeoutMs + SILENCE_MS,
    keepAlive: true,
    types: { getTypeParser: parserOf },
  });
  const lost = (error: unknown): void => {
    const found = toStoreError(error);
    log?.warn(
      { event: 'postgres.connection_lost', code: found instanceof StoreError ? found.code : 'unknown' },
      'postgres: connection lost',
    );
  };
  // Without listeners an idle, or a checked-out, connection that breaks would end the process.
  pool.on('error', lost);
  const openedAt = new WeakMap<pg.PoolClient, number>();
  let distrustedUntil = Number.NEGATIVE_INFINITY;
  pool.on('connect', (client) => {
    openedAt.set(client, performance.now());
    client.on('error', () => undefined);
  });

  /** Connections that were opened before another server took over are closed, not used. */
  async function connected(): Promise<pg.PoolClient> {
    for (;;) {
      const client = await pool.connect().catch((error: unknown) => {
        throw toStoreError(error);
      });
      if ((openedAt.get(client) ?? 0) >= distrustedUntil) return client;
      client.release(true);
    }
  }

  async function withClient<T>(fn: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await connected();
    try {
      const result = await fn(client);
      client.release();
      return result;
    } catch (error) {
      const isOurs = error instanceof StoreError;
      if (isOurs && meansAnotherServer(error)) distrustedUntil = performance.now();
      if (isOurs && error.code === 'query_timeout') {
        void cancelStatement(client, address).then(() => client.release(true));
      } else client.release(isOurs && breaksConnection(error));
      throw error;
    }
  }

  const limits = `SET LOCAL statement_timeout = ${statementTimeoutMs}; SET LOCAL idle_in_transaction_session_timeout = ${IDLE_IN_TRANSACTION_MS}`;
  return {
    query: (sql, params) => withClient((client) => run(client, sql, params, statementTimeoutMs)),
    transaction: (fn, transactionOptions) =>
      retried(() => withClient((client) => transact(client, fn, limits, transactionOptions))),
    close: () => pool.end(),
  };
}

/** Numbers of ours (counts, feed numbers, versions) stay far below 2^53. */
const parserOf: typeof pg.types.getTypeParser = (oid: number, format?: 'text' | 'binary') =>
  oid === INT8 ? Number : oid === JSONB ? parseExactJson : pg.types.getTypeParser(oid, format);

/** `timeoutMs`: of a statement that Postgres itself does not limit. */
async function run<Row extends object>(
  client: pg.PoolClient,
  sql: string,
  params: readonly Param[] = [],
  timeoutMs?: number,
): Promise<Result<Row>> {
  try {
    const { rows, rowCount } = await client.query<Row>({
      text: sql,
      // Without values it is a simple query, which may hold several statements: migrations need that.
      ...(params.length === 0 ? {} : { values: [...params] }),
      ...(timeoutMs === undefined ? {} : { query_timeout: timeoutMs }),
    });
    return { rows, count: rowCount ?? 0 };
  } catch (error) {
    throw toStoreError(error);
  }
}

async function transact<T>(
  client: pg.PoolClient,
  fn: (tx: Tx) => Promise<T>,
  limits: string,
  options: TransactionOptions = {},
): Promise<T> {
  let over = false;
  const tx: Tx = {
    inTransaction: true,
    query: (sql, params) => {
      if (over) throw new Error('this transaction has ended');
      return run(client, sql, params);
    },
  };
  await run(client, begin(limits, options));
  try {
    const result = await fn(tx);
    over = true;
    await commit(client);
    return result;
  } catch (error) {
    over = true;
    // When this fails too the connection is beyond use, and Postgres rolls back by itself.
    if (!(error instanceof StoreError && breaksConnection(error))) await run(client, 'ROLLBACK');
    throw error;
  }
}

/** One round trip. SET LOCAL ends with the transaction, also in PGlite's shared session. */
function begin(limits: string, { isolation, alongIndexes = false }: TransactionOptions): string {
  const start = `${isolation ? `BEGIN ISOLATION LEVEL ${isolation}` : 'BEGIN'}; ${limits}`;
  // A sort that cannot be avoided costs 10^10 now, for which Postgres would compile the statement first: measured 100 ms.
  return alongIndexes
    ? `${start}; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off; SET LOCAL jit = off`
    : start;
}

/** COMMIT after a failed statement whose error was swallowed is a rollback that does not say so. */
async function commit(client: pg.PoolClient): Promise<void> {
  const { command } = await client.query('COMMIT').catch((error: unknown) => {
    throw toStoreError(error);
  });
  if (command !== 'COMMIT') throw new StoreError({ code: '25P02', transient: false });
}

async function retried<T>(transact: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await transact();
    } catch (error) {
      if (tries === TRIES || !isSerializationFailure(error)) throw error;
      await delay(Math.random() * 10 * 2 ** tries);
    }
  }
}
