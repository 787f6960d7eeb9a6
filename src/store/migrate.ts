import { hash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Db, Tx } from './db.ts';

export interface Migration {
  /** `0001_tenants` */
  readonly name: string;
  readonly sql: string;
}

/** The database and the code do not fit: a migration that was applied has been edited, or is missing below a newer one. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

const FOLDER = join(import.meta.dirname, 'migrations');
/** Any number that no other program uses for an advisory lock in this database. */
const LOCK = 7_136_500_113;

/**
 * Brings the database to this code's state and returns the names of the migrations it applied. All in one transaction behind one
 * lock, so any number of processes may do it at once and a process that is killed leaves nothing half done. Migrations that only a newer
 * release knows are left alone: during a rolling deploy the older one goes on. Throws MigrationError or StoreError.
 */
export async function migrate(db: Db, migrations?: readonly Migration[]): Promise<readonly string[]> {
  const wanted = migrations ?? (await readMigrations());
  return await db.transaction(async (tx) => {
    // Ends with the transaction: PGlite's single session would keep a session's lock for everybody.
    await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    await tx.query(
      'CREATE TABLE IF NOT EXISTS schema_migrations (name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())',
    );
    const missing = findMissing(wanted, await readApplied(tx));
    for (const migration of missing) {
      await tx.query(migration.sql);
      await tx.query('INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)', [
        migration.name,
        checksum(migration),
      ]);
    }
    return missing.map(({ name }) => name);
  });
}

/** The migrations of this release, in their order. */
export async function readMigrations(): Promise<readonly Migration[]> {
  const files = (await readdir(FOLDER)).filter((file) => /^\d{4}_\w+\.sql$/.test(file)).sort();
  return await Promise.all(
    files.map(async (file) => ({ name: file.replace('.sql', ''), sql: await readFile(join(FOLDER, file), 'utf8') })),
  );
}

async function readApplied(tx: Tx): Promise<ReadonlyMap<string, string>> {
  const { rows } = await tx.query<{ name: string; checksum: string }>('SELECT name, checksum FROM schema_migrations');
  return new Map(rows.map(({ name, checksum }) => [name, checksum]));
}

function findMissing(wanted: readonly Migration[], applied: ReadonlyMap<string, string>): readonly Migration[] {
  const missing = wanted.filter(({ name }) => !applied.has(name));
  for (const migration of wanted) {
    const known = applied.get(migration.name);
    if (known !== undefined && known !== checksum(migration)) {
      throw new MigrationError(
        `Migration ${migration.name} was edited after it had been applied: put it back and add a new one`,
      );
    }
    const first = missing[0];
    if (known !== undefined && first !== undefined && first.name < migration.name) {
      throw new MigrationError(
        `Migration ${first.name} is missing, though ${migration.name} was applied: give it a higher number`,
      );
    }
  }
  return missing;
}

/** Line ends may differ between checkouts. */
const checksum = ({ sql }: Migration): string => hash('sha256', sql.replaceAll('\r\n', '\n'), 'hex');
