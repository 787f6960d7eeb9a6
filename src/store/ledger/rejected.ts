import type { TenantId } from '../../contracts/tenant.ts';
import type { Db } from '../db.ts';

export interface RejectedEvent {
  readonly eventId: string;
  readonly type: string | null;
  /** Null: it can never be extracted, only kept. */
  readonly conversationId: string | null;
  readonly receivedAt: Date;
  readonly rejectedAt: Date | null;
  readonly reason: string | null;
}

/** A page of rejected events by event id. `after` is the last one of the page before; the empty text begins. */
export async function rejectedEvents(
  db: Db,
  tenantId: TenantId,
  { after = '', limit }: { readonly after?: string; readonly limit: number },
): Promise<readonly RejectedEvent[]> {
  const page = `SELECT event_id AS "eventId", type, conversation_id AS "conversationId", received_at AS "receivedAt",
      coalesce(done_at, taken_at) AS "rejectedAt", reason
    FROM events WHERE tenant_id = $1 AND state = 'rejected' AND event_id > $2 ORDER BY event_id LIMIT $3`;
  const { rows } = await db.transaction((tx) => tx.query<RejectedEvent>(page, [tenantId, after, limit]), {
    alongIndexes: true,
  });
  return rows;
}

export interface RestoreOptions {
  /** Only these; without it, all. */
  readonly eventIds?: readonly string[];
  /** Counts, and changes nothing. */
  readonly dryRun: boolean;
}

export interface Restored {
  /** Rejected events that can be tried again; they wait now, unless it was a dry run. */
  readonly restored: number;
  /** Rejected events that name no conversation: nothing can be read for them. They stay. */
  readonly unusable: number;
}

/** Each of these holds up the tenant's other writers for some milliseconds. */
const STEP = 500;

const RESTORE = `
  WITH chosen AS MATERIALIZED (
    SELECT ctid AS row FROM events
    WHERE tenant_id = $1 AND state = 'rejected' AND conversation_id IS NOT NULL AND ($2::text[] IS NULL OR event_id = ANY($2)) AND event_id > $3
    ORDER BY event_id LIMIT ${STEP} FOR UPDATE
  ), restored AS (
    UPDATE events e SET state = 'waiting', reason = NULL, attempts = 0, done_at = NULL, taken_at = now()
    FROM chosen WHERE e.ctid = chosen.row
    RETURNING e.event_id, e.conversation_id, e.taken_at
  ), queued AS (
    INSERT INTO pending_conversations AS pending (tenant_id, conversation_id, waiting, first_received_at, last_received_at)
    SELECT $1, conversation_id, count(*), min(taken_at), max(taken_at) FROM restored GROUP BY conversation_id ORDER BY conversation_id
    ON CONFLICT (tenant_id, conversation_id) DO UPDATE SET
      waiting = pending.waiting + excluded.waiting, attempts = 0, not_before = NULL, reason = NULL,
      first_received_at = least(pending.first_received_at, excluded.first_received_at),
      last_received_at = greatest(pending.last_received_at, excluded.last_received_at)
    RETURNING 1
  ), sums AS (
    SELECT count(*) AS events, max(event_id) AS last, (SELECT count(*) FROM queued) AS conversations FROM restored
  ), counted AS (
    UPDATE tenant_counters c SET waiting = c.waiting + sums.events, rejected = c.rejected - sums.events
    FROM sums WHERE c.tenant_id = $1 AND sums.events > 0 AND sums.conversations >= 0
  )
  SELECT events, last FROM sums`;

/** Brings rejected events back with a fresh count, in small steps. Cut off half-way, it can simply be called again. */
export async function restoreRejected(
  db: Db,
  tenantId: TenantId,
  { eventIds, dryRun }: RestoreOptions,
): Promise<Restored> {
  const ids = eventIds ?? null;
  const { rows } = await db.query<{ usable: number; unusable: number }>(
    `SELECT count(conversation_id) AS usable, count(*) - count(conversation_id) AS unusable
     FROM events WHERE tenant_id = $1 AND state = 'rejected' AND ($2::text[] IS NULL OR event_id = ANY($2))`,
    [tenantId, ids],
  );
  const { usable, unusable } = rows[0] ?? { usable: 0, unusable: 0 };
  if (dryRun) return { restored: usable, unusable };
  let restored = 0;
  // By id, so that an event which is rejected again meanwhile is not brought back endlessly.
  for (let after: string | null = ''; after !== null; ) {
    const step: { events: number; last: string | null } | undefined = (
      await db.transaction((tx) => tx.query<{ events: number; last: string | null }>(RESTORE, [tenantId, ids, after]), {
        alongIndexes: true,
      })
    ).rows[0];
    restored += step?.events ?? 0;
    after = step?.last ?? null;
  }
  return { restored, unusable };
}
