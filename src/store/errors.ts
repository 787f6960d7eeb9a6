import pg from 'pg';

/** What a store error may tell: codes and names of our own tables, never a value. */
export interface StoreErrorFacts {
  /** SQLSTATE, or a name of Node's (`ECONNREFUSED`), or one of ours (`query_timeout`). */
  readonly code: string;
  readonly table?: string | undefined;
  readonly constraint?: string | undefined;
  /** Retryable: the same call may work a moment later. A write that it cut off may or may not have been committed. */
  readonly transient: boolean;
}

/**
 * Whatever went wrong in or on the way to Postgres. Postgres' own message, its `detail`, and the parameters quote what customers
 * wrote ("Key (email)=(...) already exists"), so none of them is repeated here and the driver's error is not kept as `cause`.
 */
export class StoreError extends Error {
  override readonly name: string = 'StoreError';
  readonly code: string;
  readonly table: string | undefined;
  readonly constraint: string | undefined;
  readonly transient: boolean;

  constructor(facts: StoreErrorFacts) {
    super(sentence(facts));
    this.code = facts.code;
    this.table = facts.table;
    this.constraint = facts.constraint;
    this.transient = facts.transient;
  }
}

/** The tenant does not exist, or is being removed. Nothing was written. */
export class UnknownTenantError extends Error {
  override readonly name = 'UnknownTenantError';
  readonly tenantId: string;

  constructor(tenantId: string) {
    super(`There is no tenant ${tenantId} in the store: it was never created, or it has been removed`);
    this.tenantId = tenantId;
  }
}

/** True for retryable errors: Postgres is out, restarting, full of connections, or two transactions got in each other's way. */
export function isTransient(error: unknown): boolean {
  return error instanceof StoreError && error.transient;
}

/**
 * True when Postgres refuses what it was given: a value it cannot keep (22), a rule of a table (23), a value that is too large or too deep (54).
 * The same rows are refused again; others of the same statement may be fine.
 */
export const isRefusal = (error: unknown): error is StoreError =>
  error instanceof StoreError && /^(22|23|54)/.test(error.code);

/** SQLSTATEs (https://www.postgresql.org/docs/17/errcodes-appendix.html) that mean: run the whole transaction again. */
export const isSerializationFailure = (error: unknown): boolean =>
  error instanceof StoreError && (error.code === '40001' || error.code === '40P01');

/**
 * The server behind this connection takes no writes any more (25006: a fail-over has made it a replica), or is going away (57P). Connections that were
 * opened before lead to the same server.
 */
export const meansAnotherServer = ({ code }: StoreError): boolean => code === '25006' || code.startsWith('57P');

/** After these the connection is of no use, or in an unknown state: it must not go back into the pool. 25P: Postgres ended its transaction, or it. */
export const breaksConnection = (error: StoreError): boolean =>
  !SQLSTATE.test(error.code) ||
  error.code.startsWith('08') ||
  meansAnotherServer(error) ||
  ['25P03', '25P04'].includes(error.code);

/** Wraps whatever the driver throws. Errors that are not the driver's come back as they are. */
export function toStoreError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StoreError) return error;
  if (error instanceof pg.DatabaseError) {
    const code = error.code ?? 'unknown';
    return new StoreError({ code, table: error.table, constraint: error.constraint, transient: isRetryableCode(code) });
  }
  // A name with several addresses (localhost): the errors of all of them under the code of the first.
  if ('code' in error && typeof error.code === 'string' && ('syscall' in error || error instanceof AggregateError)) {
    return new StoreError({ code: error.code, transient: true });
  }
  const known = DRIVER_MESSAGES.find(([message]) => error.message.includes(message));
  return known === undefined ? error : new StoreError({ code: known[1], transient: true });
}

const SQLSTATE = /^[0-9A-Z]{5}$/;

/** What pg 8 and pg-pool 3 say without a code. */
const DRIVER_MESSAGES: readonly (readonly [message: string, code: string])[] = [
  ['timeout exceeded when trying to connect', 'connect_timeout'],
  ['timeout expired', 'connect_timeout'],
  ['Connection terminated due to connection timeout', 'connect_timeout'],
  ['Query read timeout', 'query_timeout'],
  ['Connection terminated', 'connection_lost'],
  ['Client has encountered a connection error', 'connection_lost'],
  ['Client was closed', 'connection_lost'],
  ['Cannot use a pool after calling end', 'closed'],
];

// 08 connection, 40 rollback, 53 resources (too many connections, disk full), 57 intervention (shutdown, cancelled, starting up),
// 25006 read-only after a fail-over, 25P03 and 25P04 a transaction idle or open for too long, 55P03 lock not available.
function isRetryableCode(code: string): boolean {
  return /^(08|40|53|57)/.test(code) || ['25006', '25P03', '25P04', '55P03'].includes(code);
}

const WORDS: Readonly<Record<string, string>> = {
  '23502': 'a value is missing',
  '23503': 'what it refers to is missing',
  '23505': 'it is there already',
  '23514': 'a value is not allowed',
  '22021': 'a character that cannot be stored',
  '22P05': 'a character that cannot be stored',
  '22P02': 'a value of the wrong form',
  '25006': 'it takes no writes',
  '25P02': 'the transaction had failed before',
  '25P03': 'idle in a transaction for too long',
  '28P01': 'the password is wrong',
  '3D000': 'the database does not exist',
  '40001': 'two transactions at once',
  '40P01': 'deadlock',
  '42P01': 'the table does not exist',
  '42501': 'permission denied',
  '53300': 'too many connections',
  '54000': 'a value is too large',
  '54001': 'JSON that is nested too deep',
  '57014': 'it took too long',
  '57P01': 'Postgres is shutting down',
  '57P03': 'Postgres is starting up',
  connect_timeout: 'no connection in time',
  query_timeout: 'no answer in time',
  connection_lost: 'the connection broke',
  closed: 'the store is closed',
};

function sentence({ code, table, constraint, transient }: StoreErrorFacts): string {
  const words = WORDS[code];
  const where = [table && `table ${table}`, constraint && `constraint ${constraint}`].filter(Boolean).join(', ');
  const what = [words ? `${words} (${code})` : code, where].filter(Boolean).join(', ');
  return `Postgres: ${what}${transient ? '; try again' : ''}`;
}
