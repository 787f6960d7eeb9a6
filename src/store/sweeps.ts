import type { Queryable } from './db.ts';

/** All tenants were looked at. */
export async function noteSweep(db: Queryable): Promise<void> {
  await db.query(
    'INSERT INTO sweeps (succeeded_at) VALUES (now()) ON CONFLICT (id) DO UPDATE SET succeeded_at = now()',
  );
}

/** Milliseconds since all tenants were last looked at, by Postgres's clock; null when they never were. */
export async function sweepAgeMs(db: Queryable): Promise<number | null> {
  const { rows } = await db.query<{ ms: number }>(
    'SELECT (extract(epoch FROM clock_timestamp() - succeeded_at) * 1000)::double precision AS ms FROM sweeps',
  );
  return rows[0]?.ms ?? null;
}
