import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Db, openDb } from '../../../src/store/db.ts';
import { StoreError } from '../../../src/store/errors.ts';
import { takeIn } from '../../../src/store/ledger/take-in.ts';
import { migrate } from '../../../src/store/migrate.ts';
import { createTenant } from '../../../src/store/tenants.ts';
import { eventBody, type Ground, openGround } from '../../support/ingest/endpoint.ts';
import { runRole } from '../../support/ingest/processes.ts';
import { until } from '../../support/ingest/until.ts';
import { postgresKinds, type TestDatabase } from '../../support/store/database.ts';
import { hasPgbouncer, startPgbouncer } from '../../support/store/pgbouncer.ts';
import { at, event } from '../../support/store/samples.ts';

const postgres = postgresKinds.find(({ name }) => name === 'Postgres');

describe.skipIf(!hasPgbouncer || !postgres)('a pooler in transaction mode between us and Postgres', () => {
  let database: TestDatabase;
  let bouncer: Awaited<ReturnType<typeof startPgbouncer>>;
  const open = (statementTimeoutMs = 30_000): Db => {
    const db = openDb(bouncer.url, { max: 8, name: 'test', statementTimeoutMs });
    onTestFinished(() => db.close());
    return db;
  };

  beforeAll(async () => {
    if (!postgres) throw new Error('There is no Postgres to test against.');
    database = await postgres.open();
    bouncer = await startPgbouncer(database.url);
  });
  afterAll(async () => {
    await bouncer?.close();
    await database?.close();
  });

  test('migrates, and writes from more connections than the pooler has', async () => {
    const db = open();
    await migrate(db);
    expect(await migrate(db)).toEqual([]);
    await createTenant(db, { tenantId: 'pooled', name: 'x', retentionDays: 4 });
    const rows = Array.from({ length: 40 }, (_, n) => event(`e${n}`, `c${n}`, at(n)));
    await Promise.all(rows.map((row) => db.transaction((tx) => takeIn(tx, 'pooled', [row]))));
    expect((await db.query('SELECT count(*) AS n FROM events')).rows).toEqual([{ n: 40 }]);
  });

  test('limits each statement as without it, and leaves no setting to whoever has the connection next', async () => {
    const db = open(400);
    const code = async (asked: Promise<unknown>): Promise<string> => {
      const error = await asked.catch((reason: unknown) => reason);
      return error instanceof StoreError ? error.code : String(error);
    };
    const sleep = 'SELECT pg_sleep(20)';
    expect(await code(db.transaction((tx) => tx.query(sleep)))).toBe('57014');
    expect(await code(db.query(sleep))).toBe('query_timeout');
    const left = `SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(2%' AND state = 'active' AND pid <> pg_backend_pid()`;
    await until(async () => (await db.query<{ n: number }>(left)).rows[0]?.n === 0);
    const settings = `SELECT current_setting('statement_timeout') AS t, current_setting('enable_sort') AS s`;
    const inside = await db.transaction((tx) => tx.query(settings), { alongIndexes: true });
    expect(inside.rows).toEqual([{ t: '400ms', s: 'off' }]);
    const after = await Promise.all(Array.from({ length: 8 }, () => db.query(settings)));
    expect(after.flatMap(({ rows }) => rows)).toEqual(after.map(() => ({ t: '0', s: 'on' })));
  });
});

describe.skipIf(!hasPgbouncer || !postgres)('the webhook endpoint behind a pooler in transaction mode', () => {
  let ground: Ground;
  beforeAll(async () => {
    ground = await openGround(postgres);
  });
  afterAll(() => ground?.close());

  test('starts, and takes deliveries into SQS and into the ledger', async () => {
    const tenant = await ground.tenant();
    const bouncer = await startPgbouncer(ground.url);
    onTestFinished(() => bouncer.close());
    for (const endpoint of [ground.endpoint, 'http://127.0.0.1:1']) {
      const program = await runRole('ingest', {
        DATABASE_URL: bouncer.url,
        SQS_ENDPOINT: endpoint,
        TEMPORAL_ADDRESS: '127.0.0.1:1',
      });
      onTestFinished(() => program.end('SIGTERM'));
      const url = `http://127.0.0.1:${program.port}`;
      await until(async () => (await fetch(`${url}/health/ready`)).status === 200);
      const answer = await fetch(`${url}/webhooks/gladly/${tenant.tenantId}`, {
        method: 'POST',
        headers: { 'x-api-key': tenant.key },
        body: eventBody(),
      });
      expect(answer.status).toBe(200);
    }
    expect((await ground.db.query('SELECT way FROM events')).rows).toEqual([{ way: 'direct' }]);
  });
});
