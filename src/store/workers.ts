import type { Queryable } from './db.ts';

/** Says that this worker process is there, with so many drains at work. Called every few seconds; `worker` names the process, such as `pid@host`. */
export async function noteWorker(db: Queryable, worker: string, awake: number): Promise<void> {
  await db.query(
    `INSERT INTO workers (worker, awake) VALUES ($1, $2)
     ON CONFLICT (worker) DO UPDATE SET seen_at = now(), awake = excluded.awake`,
    [worker, awake],
  );
}

/** How many drains each worker has at work; one that has been silent for 15 s has none. */
export async function awakePerWorker(db: Queryable): Promise<readonly number[]> {
  const { rows } = await db.query<{ awake: number }>(
    "SELECT awake FROM workers WHERE seen_at > now() - interval '15 seconds'",
  );
  return rows.map(({ awake }) => awake);
}

/** The process ends in order. */
export async function removeWorker(db: Queryable, worker: string): Promise<void> {
  await db.query('DELETE FROM workers WHERE worker = $1', [worker]);
}

/** Milliseconds, by Postgres's clock; null: never. */
export interface SignsOfLife {
  /** Since any worker last said that it is there. */
  readonly workerMs: number | null;
  /** Since all tenants were last looked at. */
  readonly sweptMs: number | null;
}

export async function signsOfLife(db: Queryable): Promise<SignsOfLife> {
  const { rows } = await db.query<SignsOfLife>(
    `SELECT (SELECT (extract(epoch FROM clock_timestamp() - max(seen_at)) * 1000)::float8 FROM workers) AS "workerMs",
       (SELECT (extract(epoch FROM clock_timestamp() - succeeded_at) * 1000)::float8 FROM sweeps) AS "sweptMs"`,
  );
  return rows[0] ?? { workerMs: null, sweptMs: null };
}

/** All tenants were looked at. */
export async function noteSweep(db: Queryable): Promise<void> {
  await db.query(
    'INSERT INTO sweeps (succeeded_at) VALUES (now()) ON CONFLICT (id) DO UPDATE SET succeeded_at = now()',
  );
}

/** Forgets workers that have been silent for a day: killed, they could not take their row away. Returns how many. */
export async function pruneWorkers(db: Queryable): Promise<number> {
  const { count } = await db.query("DELETE FROM workers WHERE seen_at < now() - interval '1 day'");
  return count;
}
