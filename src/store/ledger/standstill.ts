import type { TenantId } from '../../contracts/tenant.ts';
import type { Queryable } from '../db.ts';

/** What does not go on in a tenant's ledger. */
export interface Standstill {
  /** Conversations that could not be read several times in a row. */
  readonly failing: number;
  /** The first few of them by id, and what kept the first of them from it (a code of ours). */
  readonly failingIds: readonly string[];
  readonly reason: string | null;
  /** The same of conversations that were put off, less often, and have waited for `putOffMs`. */
  readonly putOff: number;
  readonly putOffIds: readonly string[];
  readonly putOffReason: string | null;
  /** Milliseconds for which the oldest conversation that is due has waited, by Postgres's clock; null when none is. */
  readonly oldestDueMs: number | null;
}

/**
 * As in the index pending_failing (migration 13). The third reading fails 12 s after the first (READING_RETRY_MS), each with two tries of its own.
 */
export const FAILING = 'attempts >= 3';
/** Ids that are named. */
const NAMED = 5;
/** More are not counted. */
const MOST = 1_000;

/** One statement, which walks along indexes. Throws StoreError. */
export async function standstillOf(
  db: Queryable,
  tenantId: TenantId,
  { putOffMs }: { readonly putOffMs: number },
): Promise<Standstill> {
  const failing = `FROM pending_conversations WHERE tenant_id = $1 AND ${FAILING}`;
  const putOff = `FROM pending_conversations WHERE tenant_id = $1 AND not_before IS NOT NULL AND NOT ${FAILING}
    AND first_taken_at < now() - $2 * interval '1 ms'`;
  const { rows } = await db.query<Standstill>(
    `SELECT (SELECT count(*) ${failing}) AS failing,
       ARRAY(SELECT conversation_id ${failing} ORDER BY conversation_id LIMIT ${NAMED}) AS "failingIds",
       (SELECT reason ${failing} ORDER BY conversation_id LIMIT 1) AS reason,
       (SELECT count(*) FROM (SELECT ${putOff} ORDER BY first_taken_at LIMIT ${MOST}) AS counted) AS "putOff",
       ARRAY(SELECT conversation_id ${putOff} ORDER BY first_taken_at LIMIT ${NAMED}) AS "putOffIds",
       (SELECT reason ${putOff} ORDER BY first_taken_at LIMIT 1) AS "putOffReason",
       (SELECT (extract(epoch FROM now() - first_taken_at) * 1000)::float8 FROM pending_conversations
        WHERE tenant_id = $1 AND not_before IS NULL ORDER BY first_taken_at LIMIT 1) AS "oldestDueMs"`,
    [tenantId, putOffMs],
  );
  const nothing = { failing: 0, failingIds: [], reason: null, putOff: 0, putOffIds: [], putOffReason: null };
  return rows[0] ?? { ...nothing, oldestDueMs: null };
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
