import type { DatabaseSync } from 'node:sqlite';
import { entityOf } from '../event-types.ts';
import type { GladlyEvent } from '../model.ts';
import { integer, text } from './database.ts';

type LoggedEvent = { number: number; id: string; type: string; atMs: number; body: string };

/** Everything that happened in the last 24 hours: what the events API answers from, and what resends are made of. */
export type EventLog = {
  add(event: GladlyEvent, atMs: number): void;
  /** Ascending by time; `fromMs` included, `toMs` not. */
  between(fromMs: number, toMs: number, entities: readonly string[], after: number, limit: number): LoggedEvent[];
  list(after: number, limit: number): LoggedEvent[];
  count(): number;
  /** Forgets events older than `beforeMs`, but none that still has to be delivered. */
  trim(beforeMs: number): number;
};

export function createEventLog(database: DatabaseSync): EventLog {
  const insert = database.prepare('INSERT INTO events (id, type, entity, at_ms, body) VALUES (?, ?, ?, ?, ?)');
  // Numbers follow time: both are given in one transaction, by one timeline.
  const between = database.prepare(
    `SELECT * FROM events WHERE at_ms >= ? AND at_ms < ? AND number > ?
       AND entity IN (SELECT value FROM json_each(?)) ORDER BY number LIMIT ?`,
  );
  const list = database.prepare('SELECT * FROM events WHERE number > ? ORDER BY number LIMIT ?');
  const count = database.prepare('SELECT count(*) AS n FROM events');
  const trim = database.prepare(
    `DELETE FROM events WHERE at_ms < ?
       AND id NOT IN (SELECT event_id FROM deliveries WHERE state = 'pending')`,
  );
  const toLogged = (row: Record<string, unknown> & Parameters<typeof text>[0]): LoggedEvent => ({
    number: integer(row, 'number'),
    id: text(row, 'id'),
    type: text(row, 'type'),
    atMs: integer(row, 'at_ms'),
    body: text(row, 'body'),
  });

  return {
    add: (event, atMs) => void insert.run(event.id, event.type, entityOf(event.type), atMs, JSON.stringify(event)),
    between: (fromMs, toMs, entities, after, limit) =>
      between.all(fromMs, toMs, after, JSON.stringify(entities), limit).map(toLogged),
    list: (after, limit) => list.all(after, limit).map(toLogged),
    count: () => integer(count.get() ?? {}, 'n'),
    trim: (beforeMs) => Number(trim.run(beforeMs).changes),
  };
}
