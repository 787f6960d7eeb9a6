import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import type { z } from 'zod';

export type Row = Record<string, SQLOutputValue>;

/** The simulator's state cannot be used. The message says which file and what to do. */
export class SimulatorStateError extends Error {
  override readonly name = 'SimulatorStateError';
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS users (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE, roles TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (
  id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, user_id TEXT NOT NULL REFERENCES users(id));
CREATE TABLE IF NOT EXISTS customers (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, email TEXT, phone TEXT, external_id TEXT,
  merged_into TEXT, updated_ms INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS customers_email ON customers (email);
CREATE INDEX IF NOT EXISTS customers_phone ON customers (phone);
CREATE INDEX IF NOT EXISTS customers_external ON customers (external_id);
CREATE TABLE IF NOT EXISTS conversations (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, customer_id TEXT NOT NULL,
  body TEXT NOT NULL, plot TEXT NOT NULL, live INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS conversations_customer ON conversations (customer_id, number);
CREATE INDEX IF NOT EXISTS conversations_live ON conversations (number) WHERE live = 1;
CREATE TABLE IF NOT EXISTS items (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, conversation_id TEXT NOT NULL,
  supported INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS items_conversation ON items (conversation_id, number);
CREATE TABLE IF NOT EXISTS moves (id TEXT PRIMARY KEY, new_id TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, entity TEXT NOT NULL,
  at_ms INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS events_at ON events (at_ms, number);
CREATE TABLE IF NOT EXISTS webhooks (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
  number INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL, type TEXT NOT NULL, webhook_id TEXT NOT NULL,
  state TEXT NOT NULL, next_ms INTEGER NOT NULL, attempts TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS deliveries_pending ON deliveries (webhook_id, next_ms) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS deliveries_event ON deliveries (event_id);
`;

/** A predecessor that was killed a moment ago may still hold the file. */
const LOCK_WAIT_MS = 1_000;

/**
 * Opens DATA_DIR/simulator/gladly.sqlite, or a database in memory when `directory` is null. WAL with
 * synchronous=NORMAL: a process that is killed loses nothing, only a machine that loses power may lose the last moment.
 * @throws SimulatorStateError when another simulator holds the folder, or the file cannot be opened.
 */
export function openDatabase(directory: string | null): DatabaseSync {
  const file = directory === null ? ':memory:' : join(directory, 'gladly.sqlite');
  try {
    if (directory !== null) mkdirSync(directory, { recursive: true });
    const database = new DatabaseSync(file, { timeout: LOCK_WAIT_MS });
    // Exclusive: a second simulator on the same folder fails at once instead of living a second life in it.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    database.exec(SCHEMA);
    return database;
  } catch (error) {
    throw new SimulatorStateError(
      `The simulator cannot open ${file}: ${error instanceof Error ? error.message : String(error)}. ` +
        'Is another simulator running on the same DATA_DIR?',
      { cause: error },
    );
  }
}

/** Runs `work` in one transaction; all of it is kept, or none. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new TypeError(`column ${column} is not text`);
  return value;
}

export function integer(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number') throw new TypeError(`column ${column} is not a number`);
  return value;
}

/** Single documents: the organization, the clock, counters. */
export type Meta = {
  get<T>(key: string, schema: z.ZodType<T>): T | undefined;
  set(key: string, value: unknown): void;
  /** Adds one to a counter and returns it; the first time, 1. */
  increment(key: string): number;
};

export function createMeta(database: DatabaseSync): Meta {
  const select = database.prepare('SELECT value FROM meta WHERE key = ?');
  const upsert = database.prepare(
    'INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  );
  const increment = database.prepare(
    `INSERT INTO meta VALUES (?, '1') ON CONFLICT (key) DO UPDATE SET value = CAST(value + 1 AS TEXT) RETURNING value`,
  );
  return {
    get: (key, schema) => {
      const row = select.get(key);
      return row === undefined ? undefined : schema.parse(JSON.parse(text(row, 'value')));
    },
    set: (key, value) => {
      upsert.run(key, JSON.stringify(value));
    },
    increment: (key) => Number(text(increment.get(key) ?? {}, 'value')),
  };
}
