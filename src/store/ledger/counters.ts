import type { TenantId } from '../../contracts/tenant.ts';
import type { Queryable, Tx } from '../db.ts';
import { UnknownTenantError } from '../errors.ts';
import { FAILING } from './standstill.ts';

/** How many events changed. */
export interface Completed {
  readonly extracted: number;
  readonly gone: number;
  readonly rejected: number;
}

/** Events of a tenant's ledger by state. */
export interface EventCounts {
  readonly waiting: number;
  readonly extracted: number;
  readonly gone: number;
  readonly rejected: number;
  /** Not about a conversation, or discarded; without those that have been removed since. */
  readonly ignored: number;
  /** Were extracted or gone, and have been removed since: all that was ever done is extracted + gone + trimmed. */
  readonly trimmed: number;
  /** When the oldest waiting event was taken in, by Postgres's clock. */
  readonly oldestWaitingAt: Date | null;
}

/**
 * Counts waiting events out and into their new state, and takes `changes` numbers of the feed, of which it returns the last. The row
 * stays locked until the commit: call it last.
 */
export async function addCounts(tx: Tx, tenantId: TenantId, completed: Completed, changes = 0): Promise<number> {
  const { extracted, gone, rejected } = completed;
  const moved = extracted + gone + rejected;
  if (moved + changes === 0) return 0;
  const { rows } = await tx.query<{ seq: number }>(
    `UPDATE tenant_counters SET waiting = waiting - $2, extracted = extracted + $3, gone = gone + $4, rejected = rejected + $5,
       last_feed_seq = last_feed_seq + $6
     WHERE tenant_id = $1 RETURNING last_feed_seq AS seq`,
    [tenantId, moved, extracted, gone, rejected, changes],
  );
  const seq = rows[0]?.seq;
  if (seq === undefined) throw new UnknownTenantError(tenantId);
  return seq;
}

/** Costs a few index lookups a tenant, however many events there are. A tenant that does not exist is left out. */
export async function eventCountsOf(
  db: Queryable,
  tenantIds: readonly TenantId[],
): Promise<ReadonlyMap<TenantId, EventCounts>> {
  const { rows } = await db.query<EventCounts & { tenantId: TenantId }>(
    `SELECT c.tenant_id AS "tenantId", c.waiting, c.extracted, c.gone, c.rejected, c.ignored, c.trimmed,
       least(
         (SELECT first_taken_at FROM pending_conversations WHERE tenant_id = c.tenant_id AND not_before IS NULL
          ORDER BY first_taken_at LIMIT 1),
         (SELECT first_taken_at FROM pending_conversations WHERE tenant_id = c.tenant_id AND not_before IS NOT NULL
          ORDER BY first_taken_at LIMIT 1)
       ) AS "oldestWaitingAt"
     FROM tenant_counters c WHERE c.tenant_id = ANY($1)`,
    [tenantIds],
  );
  return new Map(rows.map(({ tenantId, ...counts }) => [tenantId, counts]));
}

/** Throws UnknownTenantError. */
export async function eventCounts(db: Queryable, tenantId: TenantId): Promise<EventCounts> {
  const counts = (await eventCountsOf(db, [tenantId])).get(tenantId);
  if (counts === undefined) throw new UnknownTenantError(tenantId);
  return counts;
}

/** What is to be read; conversations that fail again and again wait for something else than their turn, and are left out. */
export interface Pending {
  readonly conversations: number;
  /** Events that wait for them. */
  readonly inLedger: number;
}

export async function pendingConversations(db: Queryable, tenantId: TenantId): Promise<Pending> {
  const { rows } = await db.query<Pending>(
    `SELECT count(*) AS conversations, coalesce(sum(waiting), 0)::integer AS "inLedger"
     FROM pending_conversations WHERE tenant_id = $1 AND NOT ${FAILING}`,
    [tenantId],
  );
  return rows[0] ?? { conversations: 0, inLedger: 0 };
}
