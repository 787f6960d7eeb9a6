import type { Queryable } from './db.ts';

/** Says that this worker process is there. Called every few seconds; `worker` names the process, such as `pid@host`. */
export async function noteWorker(db: Queryable, worker: string): Promise<void> {
  await db.query('INSERT INTO workers (worker) VALUES ($1) ON CONFLICT (worker) DO UPDATE SET seen_at = now()', [
    worker,
  ]);
}

/** The process ends in order. */
export async function removeWorker(db: Queryable, worker: string): Promise<void> {
  await db.query('DELETE FROM workers WHERE worker = $1', [worker]);
}

/** Milliseconds since any worker last said that it is there, by Postgres's clock; null when none ever did. */
export async function workerSilenceMs(db: Queryable): Promise<number | null> {
  const { rows } = await db.query<{ ms: number | null }>(
    'SELECT (extract(epoch FROM clock_timestamp() - max(seen_at)) * 1000)::double precision AS ms FROM workers',
  );
  return rows[0]?.ms ?? null;
}

/** Forgets workers that have been silent for a day: killed, they could not take their row away. Returns how many. */
export async function pruneWorkers(db: Queryable): Promise<number> {
  const { count } = await db.query("DELETE FROM workers WHERE seen_at < now() - interval '1 day'");
  return count;
}
