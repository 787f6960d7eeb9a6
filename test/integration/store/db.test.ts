import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Db, type DbOptions, openDb } from '../../../src/store/db.ts';
import { isTransient, StoreError } from '../../../src/store/errors.ts';
import { assertWritable } from '../../../src/store/writable.ts';
import { postgresKinds } from '../../support/store/database.ts';
import { describeStore } from '../../support/store/store-suite.ts';

const failure = async (promise: Promise<unknown>): Promise<StoreError> => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof StoreError) return error;
  throw new Error('a StoreError was expected', { cause: error });
};

describeStore('Db', (store) => {
  it('gives int8 as numbers, timestamptz as Dates, bytea as Buffers, jsonb parsed', async () => {
    const { rows, count } = await store.db.query(
      `SELECT 9007199254740991::int8 AS n, '2026-01-05T09:00:00.5Z'::timestamptz AS t, '\\x00ff'::bytea AS b, '{"a":[1]}'::jsonb AS j, $1::text[] AS a`,
      [['x,{"', 'y']],
    );
    expect(count).toBe(1);
    expect(rows).toEqual([
      {
        n: Number.MAX_SAFE_INTEGER,
        t: new Date('2026-01-05T09:00:00.5Z'),
        b: Buffer.from([0, 255]),
        j: { a: [1] },
        a: ['x,{"', 'y'],
      },
    ]);
  });

  it('commits what returns, rolls back what throws', async () => {
    await store.db.query('CREATE TABLE numbers (n integer PRIMARY KEY)');
    const put = (n: number, fail: boolean) =>
      store.db.transaction(async (tx) => {
        await tx.query('INSERT INTO numbers VALUES ($1)', [n]);
        if (fail) throw new RangeError('no');
        return n;
      });
    expect(await put(1, false)).toBe(1);
    await expect(put(2, true)).rejects.toThrow(RangeError);
    expect((await store.db.query('SELECT n FROM numbers')).rows).toEqual([{ n: 1 }]);
  });

  it('does not pretend to have committed when an error was swallowed', async () => {
    const swallowing = store.db.transaction(async (tx) => {
      await tx.query('SELECT 1/0').catch(() => undefined);
    });
    expect(await failure(swallowing)).toMatchObject({ code: '25P02', transient: false });
  });

  it('lets nobody use a transaction that has ended', async () => {
    const leaked = await store.db.transaction(async (tx) => tx);
    expect(() => leaked.query('SELECT 1')).toThrow('has ended');
  });

  it('runs a transaction again that lost against another, five times at most', async () => {
    let runs = 0;
    const losing = (until: number) =>
      store.db.transaction(async (tx) => {
        runs += 1;
        if (runs < until) await tx.query(`DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$`);
        return runs;
      });
    expect(await losing(3)).toBe(3);
    runs = 0;
    expect(await failure(losing(100))).toMatchObject({ code: '40001', transient: true });
    expect(runs).toBe(5);
  });

  it('walks along indexes in the transaction that asks for it, and in no other', async () => {
    const settings = `SELECT current_setting('enable_sort') AS sort, current_setting('enable_bitmapscan') AS bitmap`;
    const asked = await store.db.transaction((tx) => tx.query(settings), { alongIndexes: true });
    expect(asked.rows).toEqual([{ sort: 'off', bitmap: 'off' }]);
    expect((await store.db.query(settings)).rows).toEqual([{ sort: 'on', bitmap: 'on' }]);
  });

  it('repeats no value of a row or a parameter in an error', async () => {
    await store.db.query('CREATE TABLE people (email text PRIMARY KEY, age integer CHECK (age > 0))');
    await store.db.query('INSERT INTO people VALUES ($1, 1)', ['secret@example.com']);
    const errors = [
      await failure(store.db.query('INSERT INTO people VALUES ($1, 2)', ['secret@example.com'])),
      await failure(store.db.query('INSERT INTO people VALUES ($1, $2)', ['secret@example.com', -1])),
      await failure(store.db.query('SELECT $1::jsonb', ['{"secret@example.com"'])),
      await failure(store.db.query('SELECT $1::integer', ['secret@example.com'])),
      await failure(store.db.query(`SELECT * FROM "secret@example.com"`)),
    ];
    expect(errors.map(({ code }) => code)).toEqual(['23505', '23514', '22P02', '22P02', '42P01']);
    expect(errors[0]).toMatchObject({ table: 'people', constraint: 'people_pkey', transient: false });
    for (const error of errors) {
      const everything = [
        error.message,
        error.stack,
        JSON.stringify(error),
        JSON.stringify(Object.getOwnPropertyNames(error)),
        error.cause,
      ];
      expect(everything.join(' ')).not.toContain('secret');
    }
  });
});

describe.for(postgresKinds)('Db when Postgres goes away ($name)', (postgres) => {
  it('fails in a way that time heals, and works again afterwards', async () => {
    const database = await postgres.open();
    const warnings: unknown[] = [];
    const db = openDb(database.url, { max: 2, name: 'test', log: { warn: (fields) => warnings.push(fields) } });
    const inTransaction = db.transaction(async (tx) => {
      await tx.query('SELECT 1');
      await database.close();
      await tx.query('SELECT 2');
    });
    expect(isTransient(await failure(inTransaction))).toBe(true);
    const gone = await failure(db.query('SELECT 1'));
    // A real server is still there, without this database.
    if (postgres.name === 'PGlite') expect(gone).toMatchObject({ code: 'ECONNREFUSED', transient: true });
    else expect(gone).toMatchObject({ code: '3D000' });
    await db.close();
  });
});

// What a session keeps, and what Postgres ends by itself, PGlite cannot show: all its connections are one session, without timers.
describe.for(postgresKinds.filter(({ name }) => name === 'Postgres'))('Db on connections ($name)', (postgres) => {
  async function open(options: Partial<DbOptions> = {}): Promise<Db> {
    const database = await postgres.open();
    const db = openDb(database.url, { max: 2, name: 'test', ...options });
    onTestFinished(async () => {
      await db.close();
      await database.close();
    });
    return db;
  }

  it('takes another connection after one that may only read, and none that was opened before', async () => {
    const db = await open();
    // Two at once, so both connections are what a fail-over leaves behind.
    const arrived = Array.from({ length: 2 }, () => Promise.withResolvers<void>());
    await Promise.all(
      arrived.map((mine) =>
        db.transaction(async (tx) => {
          await tx.query('SET default_transaction_read_only = on');
          mine.resolve();
          await Promise.all(arrived.map(({ promise }) => promise));
        }),
      ),
    );
    expect(await failure(db.query('CREATE TABLE one ()'))).toMatchObject({ code: '25006', transient: true });
    await db.query('CREATE TABLE two ()');
    await db.transaction((tx) => tx.query('CREATE TABLE three ()'));
  });

  it('says of a connection that may only read that nothing can be written, and does not use it again', async () => {
    const db = await open({ max: 1 });
    await db.query('SET default_transaction_read_only = on');
    expect(await failure(assertWritable(db))).toMatchObject({ code: '25006', transient: true });
    await assertWritable(db);
  });

  it('uses no connection that Postgres has ended', async () => {
    const db = await open({ max: 1 });
    const ended = db.transaction((tx) => tx.query('SELECT pg_terminate_backend(pg_backend_pid())'));
    expect(await failure(ended)).toMatchObject({ code: '57P01', transient: true });
    expect((await db.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('ends a statement that takes too long, in a transaction and alone, and Postgres does not go on with it', async () => {
    const db = await open({ statementTimeoutMs: 300 });
    const sleep = `SELECT pg_sleep(20) AS "a statement of this test"`;
    expect(await failure(db.transaction((tx) => tx.query(sleep)))).toMatchObject({ code: '57014', transient: true });
    expect(await failure(db.query(sleep))).toMatchObject({ code: 'query_timeout', transient: true });
    await expect
      .poll(async () => {
        const left = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()`;
        return (await db.query(left)).rows;
      })
      .toEqual([]);
  });
});

describe('Db without a Postgres', () => {
  it.each(['127.0.0.1', 'localhost'])('says that nobody listens at %s, whatever addresses that has', async (host) => {
    const db = openDb(`postgres://a:secret@${host}:1/b`, { max: 1, name: 'test' });
    expect(await failure(db.query('SELECT 1'))).toMatchObject({ code: 'ECONNREFUSED', transient: true });
    await db.close();
  });

  it('gives up on a server that never answers', async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const db = openDb(`postgres://a:secret@127.0.0.1:${port}/b`, { max: 1, name: 'test', connectTimeoutMs: 200 });
    const error = await failure(db.query('SELECT 1'));
    expect(error).toMatchObject({ code: 'connect_timeout', transient: true });
    expect(error.stack).not.toContain('secret');
    await db.close();
    server.close();
  });
});
