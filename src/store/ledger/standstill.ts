import type { TenantId } from '../../contracts/tenant.ts';
import type { Queryable } from '../db.ts';

/** What does not go on in a tenant's ledger. */
export interface Standstill {
  /** Conversations that could not be read several times in a row. */
  readonly failing: number;
  /** The first few of them by id, and what kept the first of them from it (a code of ours). */
  readonly failingIds: readonly string[];
  readonly reason: string | null;
  /** Milliseconds for which the oldest conversation that is due has waited, by Postgres's clock; null when none is. */
  readonly oldestDueMs: number | null;
}

/**
 * As in the index pending_failing (migration 13). The third reading fails 12 s after the first (READING_RETRY_MS), each with two tries of its own.
 */
export const FAILING = 'attempts >= 3';
/** Ids that are named. */
const NAMED = 5;

/** One statement, which walks along indexes. Throws StoreError. */
export async function standstillOf(db: Queryable, tenantId: TenantId): Promise<Standstill> {
  const failing = `FROM pending_conversations WHERE tenant_id = $1 AND ${FAILING}`;
  const { rows } = await db.query<Standstill>(
    `SELECT (SELECT count(*) ${failing}) AS failing,
       ARRAY(SELECT conversation_id ${failing} ORDER BY conversation_id LIMIT ${NAMED}) AS "failingIds",
       (SELECT reason ${failing} ORDER BY conversation_id LIMIT 1) AS reason,
       (SELECT (extract(epoch FROM now() - first_taken_at) * 1000)::float8 FROM pending_conversations
        WHERE tenant_id = $1 AND not_before IS NULL ORDER BY first_taken_at LIMIT 1) AS "oldestDueMs"`,
    [tenantId],
  );
  return rows[0] ?? { failing: 0, failingIds: [], reason: null, oldestDueMs: null };
}

/** Up to `limit` conversations whose last reading failed. Throws StoreError. */
export async function failingConversations(
  db: Queryable,
  tenantId: TenantId,
  limit: number,
): Promise<readonly string[]> {
  const { rows } = await db.query<{ conversationId: string }>(
    `SELECT conversation_id AS "conversationId" FROM pending_conversations WHERE tenant_id = $1 AND attempts > 0
     ORDER BY conversation_id LIMIT $2`,
    [tenantId, limit],
  );
  return rows.map(({ conversationId }) => conversationId);
}
