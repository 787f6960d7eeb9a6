import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Db, openDb } from '../../../src/store/db.ts';
import { StoreError } from '../../../src/store/errors.ts';
import { MigrationError, migrate, readMigrations } from '../../../src/store/migrate.ts';
import { postgresKinds, type TestDatabase } from '../../support/store/database.ts';

const one = { name: '0001_one', sql: 'CREATE TABLE one (n integer);\nINSERT INTO one VALUES (1);\n' };
const two = { name: '0002_two', sql: 'CREATE TABLE two (n integer);' };

describe.for(postgresKinds)('migrate ($name)', (postgres) => {
  let database: TestDatabase;
  let dbs: Db[];
  beforeEach(async () => {
    database = await postgres.open();
    dbs = Array.from({ length: 4 }, (_, n) => openDb(database.url, { max: 1, name: `test-${n}` }));
  });
  afterEach(async () => {
    await Promise.all(dbs.map((db) => db.close()));
    await database.close();
  });
  const first = (): Db => {
    const [db] = dbs;
    if (db === undefined) throw new Error('no database');
    return db;
  };

  it('applies each migration once, though several processes start at the same moment', async () => {
    const names = (await readMigrations()).map(({ name }) => name);
    const applied = await Promise.all(dbs.map((db) => migrate(db)));
    expect(applied.filter((some) => some.length > 0)).toEqual([names]);
    expect(await migrate(first())).toEqual([]);
  });

  it('applies what is new, in order', async () => {
    expect(await migrate(first(), [one])).toEqual(['0001_one']);
    expect(await migrate(first(), [one, two])).toEqual(['0002_two']);
    expect((await first().query('SELECT n FROM one')).rows).toEqual([{ n: 1 }]);
  });

  it('refuses a migration that was edited, but not other line ends', async () => {
    await migrate(first(), [one]);
    expect(await migrate(first(), [{ ...one, sql: one.sql.replaceAll('\n', '\r\n') }])).toEqual([]);
    await expect(migrate(first(), [{ ...one, sql: `${one.sql}-- better` }, two])).rejects.toThrow(MigrationError);
    await expect(first().query('SELECT FROM two')).rejects.toThrow(StoreError);
  });

  it('refuses a new migration below one that was applied', async () => {
    await migrate(first(), [two]);
    await expect(migrate(first(), [one, two])).rejects.toThrow('0001_one is missing');
  });

  it('lets an older release run on a newer database', async () => {
    await migrate(first(), [one, two]);
    expect(await migrate(first(), [one])).toEqual([]);
  });

  it('leaves nothing behind when a migration fails', async () => {
    await expect(
      migrate(first(), [one, { name: '0002_bad', sql: 'CREATE TABLE bad (n integer); SELECT 1/0;' }]),
    ).rejects.toThrow(StoreError);
    expect(await migrate(first(), [one])).toEqual(['0001_one']);
  });
});
