import type { Db } from '../db.ts';

/** Each along an index of its own, events_done and events_ignored. */
const DONE = `state IN ('extracted', 'gone')`;
const IGNORED = `state = 'ignored'`;

const trimSql = (which: string): string => `
  WITH old AS MATERIALIZED (
    SELECT ctid AS row FROM events WHERE ${which} AND done_at < $1
    ORDER BY done_at LIMIT $2 FOR UPDATE SKIP LOCKED
  ), removed AS (
    DELETE FROM events e USING old WHERE e.ctid = old.row RETURNING e.tenant_id, e.state
  ), sums AS (
    SELECT tenant_id, count(*) FILTER (WHERE state = 'extracted') AS extracted, count(*) FILTER (WHERE state = 'gone') AS gone,
      count(*) FILTER (WHERE state = 'ignored') AS ignored
    FROM removed GROUP BY tenant_id
  ), locked AS MATERIALIZED (
    SELECT c.tenant_id FROM tenant_counters c JOIN sums USING (tenant_id) ORDER BY c.tenant_id FOR UPDATE OF c
  ), counted AS (
    UPDATE tenant_counters c SET extracted = c.extracted - sums.extracted, gone = c.gone - sums.gone, ignored = c.ignored - sums.ignored,
      trimmed = c.trimmed + sums.extracted + sums.gone
    FROM sums JOIN locked USING (tenant_id) WHERE c.tenant_id = sums.tenant_id
  )
  SELECT count(*) AS events FROM removed`;

/**
 * Removes up to `limit` events that were done or ignored before `olderThan`, of all tenants, the longest done first, and returns how many. Call it until
 * it returns 0, with a breath between. Keep done events longer than SQS keeps messages (14 days) and Gladly resends
 * (about 2 h): the ledger is what recognises a duplicate. Waiting and rejected events are never removed.
 */
export async function trimEvents(
  db: Db,
  { olderThan, limit }: { readonly olderThan: Date; readonly limit: number },
): Promise<number> {
  const done = await trim(db, DONE, olderThan, limit);
  return done < limit ? done + (await trim(db, IGNORED, olderThan, limit - done)) : done;
}

async function trim(db: Db, which: string, olderThan: Date, limit: number): Promise<number> {
  const { rows } = await db.transaction((tx) => tx.query<{ events: number }>(trimSql(which), [olderThan, limit]), {
    alongIndexes: true,
  });
  return rows[0]?.events ?? 0;
}
