import type { Queryable } from './db.ts';

/** What a worker says of its use of an organization's quota, in requests a second (gladly/division.ts). */
export interface QuotaClaim {
  readonly host: string;
  readonly method: string;
  readonly wants: number;
  readonly claims: number;
  readonly peak: number;
}

/** Three looks that were missed: a worker that is silent for longer is dead, or has nothing to do. */
const PRESENT = "interval '7 seconds'";

/**
 * Writes the claims of `worker` and returns those of the others that are there, for the same organizations and methods. By Postgres's clock.
 * Looked up one by one (OFFSET 0), also where Postgres has no statistics and would rather read the table.
 */
export async function exchangeQuotaClaims<Own extends QuotaClaim>(
  db: Queryable,
  worker: string,
  own: readonly Own[],
): Promise<readonly Pick<Own, keyof QuotaClaim>[]> {
  const { rows } = await db.query<Pick<Own, keyof QuotaClaim>>(
    `WITH own AS (
       SELECT * FROM unnest($2::text[], $3::text[], $4::float8[], $5::float8[], $6::int[]) AS it (host, method, wants, claims, peak)
     ), told AS (
       INSERT INTO quota_claims (host, method, worker, seen_at, wants, claims, peak)
       SELECT host, method, $1, now(), wants, claims, peak FROM own
       ON CONFLICT (host, method, worker) DO UPDATE
       SET seen_at = excluded.seen_at, wants = excluded.wants, claims = excluded.claims, peak = excluded.peak
     )
     SELECT others.* FROM own CROSS JOIN LATERAL (
       SELECT q.host, q.method, q.wants, q.claims, q.peak FROM quota_claims q
       WHERE q.host = own.host AND q.method = own.method AND q.worker <> $1 AND q.seen_at > now() - ${PRESENT}
       OFFSET 0
     ) others`,
    [
      worker,
      own.map((it) => it.host),
      own.map((it) => it.method),
      own.map((it) => it.wants),
      own.map((it) => it.claims),
      own.map((it) => it.peak),
    ],
  );
  return rows;
}

/** The worker ends in order. */
export async function withdrawQuotaClaims(db: Queryable, worker: string): Promise<void> {
  await db.query('DELETE FROM quota_claims WHERE worker = $1', [worker]);
}

/** Forgets claims that nobody heeds any more. */
export async function pruneQuotaClaims(db: Queryable): Promise<void> {
  await db.query("DELETE FROM quota_claims WHERE seen_at < now() - interval '1 minute'");
}
