import { connect, Socket } from 'node:net';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type PostgresServer, servePostgres } from '../../../dev/postgres/server.ts';

const IDLE_MS = 300;

let db: PGlite;
let server: PostgresServer;
let broken: unknown;

beforeAll(async () => {
  db = await PGlite.create();
  server = await servePostgres({ db, port: 0, idleInTransactionMs: IDLE_MS, onBroken: (error) => (broken = error) });
  await db.exec('create table account (id int primary key, balance int)');
}, 30_000);

afterAll(async () => {
  await server.close();
  await db.close();
  expect(broken).toBeUndefined();
});

function url(): string {
  return `postgres://postgres@127.0.0.1:${server.port}/postgres`;
}

async function connected(socket = new Socket()): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url(), stream: () => socket });
  client.on('error', () => undefined);
  await client.connect();
  onTestFinished(() => void client.end().catch(() => undefined));
  return client;
}

async function balance(of: pg.Client | pg.Pool): Promise<number | undefined> {
  return (await of.query<{ balance: number }>('select balance from account where id = 1')).rows[0]?.balance;
}

async function setBalance(value: number): Promise<void> {
  const client = await connected();
  await client.query('insert into account values (1, $1) on conflict (id) do update set balance = $1', [value]);
}

describe('one PGlite behind many connections', () => {
  test('a statement that fails disturbs nobody else', async () => {
    const pool = new pg.Pool({ connectionString: url(), max: 10 });
    const disturbed: unknown[] = [];
    await Promise.all(
      Array.from({ length: 10 }, async (_, who) => {
        for (let i = 0; i < 50; i += 1) {
          if (who % 2 === 0) {
            await expect(pool.query('select nonsense from $1', [i])).rejects.toThrow('syntax error');
            continue;
          }
          const wanted = `${who}/${i}`;
          const { rows } = await pool.query<{ said: string }>('select $1::text as said', [wanted]);
          if (rows[0]?.said !== wanted) disturbed.push(rows);
        }
      }),
    );
    expect(disturbed).toEqual([]);
    await pool.end();
  });

  test('transactions exclude each other: no update is lost', async () => {
    await setBalance(0);
    const clients = await Promise.all(Array.from({ length: 5 }, () => connected()));
    await Promise.all(
      clients.map(async (client) => {
        for (let i = 0; i < 10; i += 1) {
          await client.query('begin');
          const before = (await balance(client)) ?? Number.NaN;
          await client.query('update account set balance = $1', [before + 1]);
          await client.query(i % 2 === 0 ? 'commit' : 'rollback');
        }
      }),
    );
    expect(await balance(await connected())).toBe(25);
  });

  test('a client that dies in a transaction is rolled back, and the others go on', async () => {
    await setBalance(1);
    const socket = new Socket();
    const dying = await connected(socket);
    await dying.query('begin');
    await dying.query('update account set balance = 100');
    const other = balance(await connected());
    socket.destroy();
    expect(await other).toBe(1);
  });

  test('a client that dies between the messages of one statement is forgotten', async () => {
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => undefined);
    // Start-up, then Parse of `select 1` and Flush, and no Sync.
    socket.write(Buffer.from('000000080003 0000'.replaceAll(' ', ''), 'hex'));
    const parse = Buffer.from('\0select 1\0\0\0', 'latin1');
    socket.write(Buffer.concat([Buffer.from('P'), length(parse), parse, Buffer.from('H'), length(Buffer.alloc(0))]));
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    expect((await (await connected()).query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('a client that sits in a transaction is thrown out', async () => {
    await setBalance(2);
    const sitting = await connected();
    const told = new Promise<unknown>((resolve) => sitting.once('error', resolve));
    await sitting.query('begin');
    await sitting.query('update account set balance = 100');
    expect(await balance(await connected())).toBe(2);
    expect(await told).toMatchObject({ code: '25P03' });
  });

  test('large statements and large answers pass whole', async () => {
    const client = await connected();
    const large = 'ä'.repeat(3_000_000);
    const { rows } = await client.query<{ text: string }>('select $1::text as text', [large]);
    expect(rows[0]?.text === large).toBe(true);
  });

  describe('with a password', () => {
    const PASSWORD = 'a-Password_of-its-own';
    let guarded: PostgresServer;
    let own: PGlite;
    beforeAll(async () => {
      own = await PGlite.create();
      guarded = await servePostgres({
        db: own,
        port: 0,
        password: PASSWORD,
        idleInTransactionMs: IDLE_MS,
        onBroken: (error) => (broken = error),
      });
    }, 30_000);
    afterAll(async () => {
      await guarded.close();
      await own.close();
    });

    const asked = async (credentials: string): Promise<unknown> => {
      const client = new pg.Client(`postgres://${credentials}@127.0.0.1:${guarded.port}/postgres`);
      client.on('error', () => undefined);
      try {
        await client.connect();
        return (await client.query('select 1 as one')).rows;
      } finally {
        await client.end().catch(() => undefined);
      }
    };

    test('lets in who knows it, and nobody else under any name', async () => {
      expect(await asked(`postgres:${PASSWORD}`)).toEqual([{ one: 1 }]);
      for (const credentials of ['postgres:wrong', 'anybody:wrong', `postgres:${PASSWORD}x`, 'postgres:%00'])
        await expect(asked(credentials)).rejects.toMatchObject({ code: '28P01' });
      await expect(asked('postgres')).rejects.toThrow();
    });

    test('asks nothing of the database for who has not shown it', async () => {
      const socket = connect(guarded.port, '127.0.0.1');
      const ended = new Promise((resolve) => socket.once('close', resolve));
      let answer = '';
      socket.on('data', (data) => {
        answer += data.toString('latin1');
      });
      const query = Buffer.from('create table stranger ()\0');
      socket.write(Buffer.from('0000000800030000', 'hex'));
      socket.write(Buffer.concat([Buffer.from('Q'), length(query), query]));
      await ended;
      expect(answer).toContain('C28P01');
      expect((await own.query(`select 1 from pg_tables where tablename = 'stranger'`)).rows).toEqual([]);
    });
  });

  test('what is not the protocol is shown out', async () => {
    const socket = connect(server.port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\n\r\n');
    const answer = await new Promise<string>((resolve) => socket.once('data', (data) => resolve(data.toString())));
    expect(answer).toContain('C08P01');
    expect((await (await connected()).query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });
});

function length(body: Buffer): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(body.length + 4);
  return bytes;
}
