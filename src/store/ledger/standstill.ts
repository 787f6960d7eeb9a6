import type { TenantId } from '../../contracts/tenant.ts';
import type { Queryable } from '../db.ts';

/** What does not go on in a tenant's ledger. */
export interface Standstill {
  /** Conversations that could not be read several times in a row, and what kept the first of them from it (a code of ours). */
  readonly failing: number;
  readonly reason: string | null;
  /** Milliseconds for which the oldest conversation that is due has waited, by Postgres's clock; null when none is. */
  readonly oldestDueMs: number | null;
}

/** A conversation that could not be read several times in a row. */
export interface FailingConversation {
  readonly conversationId: string;
  /** A code of ours. */
  readonly reason: string;
  /** Readings that failed in a row. */
  readonly attempts: number;
  /** It is not read again before. */
  readonly nextTryAt: Date | null;
}

/** As in the index pending_failing (migration 13). The third reading fails 12 s after the first (READING_RETRY_MS), each with two tries of its own. */
const FAILING = 'tenant_id = $1 AND attempts >= 3';

/** One statement, which walks along indexes. Throws StoreError. */
export async function standstillOf(db: Queryable, tenantId: TenantId): Promise<Standstill> {
  const { rows } = await db.query<Standstill>(
    `SELECT (SELECT count(*) FROM pending_conversations WHERE ${FAILING}) AS failing,
       (SELECT reason FROM pending_conversations WHERE ${FAILING} ORDER BY conversation_id LIMIT 1) AS reason,
       (SELECT (extract(epoch FROM now() - first_taken_at) * 1000)::float8 FROM pending_conversations
        WHERE tenant_id = $1 AND not_before IS NULL ORDER BY first_taken_at LIMIT 1) AS "oldestDueMs"`,
    [tenantId],
  );
  return rows[0] ?? { failing: 0, reason: null, oldestDueMs: null };
}

/** The first of them by id, at most `limit`. Throws StoreError. */
export async function failingConversations(
  db: Queryable,
  tenantId: TenantId,
  limit: number,
): Promise<readonly FailingConversation[]> {
  const { rows } = await db.query<FailingConversation>(
    `SELECT conversation_id AS "conversationId", coalesce(reason, 'unknown') AS reason, attempts, not_before AS "nextTryAt"
     FROM pending_conversations WHERE ${FAILING} ORDER BY conversation_id LIMIT $2`,
    [tenantId, limit],
  );
  return rows;
}
