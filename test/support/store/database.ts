import { randomBytes } from 'node:crypto';
import { PGlite } from '@electric-sql/pglite';
import { servePostgres } from '../../../dev/postgres/server.ts';
import { type Db, openDb } from '../../../src/store/db.ts';
import { migrate } from '../../../src/store/migrate.ts';

/** A Postgres to test against: an empty database for each `open`. */
export interface TestPostgres {
  readonly name: string;
  open(): Promise<TestDatabase>;
}

export interface TestDatabase {
  readonly url: string;
  /** Closes all connections and drops the database. */
  close(): Promise<void>;
}

const pglite: TestPostgres = {
  name: 'PGlite',
  async open() {
    const db = await PGlite.create();
    let closing = false;
    // A client that is cut off in a transaction is rolled back, also while all of it is being closed.
    const onBroken = (error: unknown): void => {
      if (!closing) throw error;
    };
    const server = await servePostgres({ db, port: 0, idleInTransactionMs: 15_000, onBroken });
    return {
      url: `postgres://postgres@127.0.0.1:${server.port}/postgres`,
      async close() {
        closing = true;
        await server.close();
        await db.close();
      },
    };
  },
};

/** `url` names a database in which others may be created and dropped. */
const postgresAt = (url: string): TestPostgres => ({
  name: 'Postgres',
  async open() {
    const admin = openDb(url, { max: 1, name: 'test-admin' });
    const name = `test_${randomBytes(6).toString('hex')}`;
    await admin.query(`CREATE DATABASE ${name}`);
    const own = new URL(url);
    own.pathname = `/${name}`;
    return {
      url: own.href,
      async close() {
        await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
        await admin.close();
      },
    };
  },
});

const realUrl = process.env['TEST_DATABASE_URL'];

/** PGlite always, and the Postgres of TEST_DATABASE_URL when there is one. */
export const postgresKinds: readonly TestPostgres[] = [pglite, ...(realUrl === undefined ? [] : [postgresAt(realUrl)])];

/** An empty store with all migrations. */
export async function openStore(
  postgres: TestPostgres,
  max = 4,
): Promise<{ readonly db: Db; readonly url: string; close(): Promise<void> }> {
  const database = await postgres.open();
  const db = openDb(database.url, { max, name: 'test' });
  await migrate(db);
  return {
    db,
    url: database.url,
    async close() {
      await db.close();
      await database.close();
    },
  };
}
