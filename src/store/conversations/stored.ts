import type { TenantId } from '../../contracts/tenant.ts';
import type { Queryable } from '../db.ts';

/** Which of these conversations are stored, and were not gone when they were last read. */
export async function storedOf(
  db: Queryable,
  tenantId: TenantId,
  conversationIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ conversationId: string }>(
    `SELECT conversation_id AS "conversationId" FROM conversations
     WHERE tenant_id = $1 AND conversation_id = ANY($2) AND gone_at IS NULL`,
    [tenantId, conversationIds],
  );
  return new Set(rows.map(({ conversationId }) => conversationId));
}

/**
 * Up to `limit` stored conversations that were read last, without those that Gladly does not show at the moment: the others it showed us, and so
 * should again.
 */
export async function lastRead(db: Queryable, tenantId: TenantId, limit: number): Promise<readonly string[]> {
  const { rows } = await db.query<{ conversationId: string }>(
    `SELECT conversation_id AS "conversationId" FROM conversations c
     WHERE tenant_id = $1 AND gone_at IS NULL AND NOT EXISTS (
       SELECT FROM pending_conversations p
       WHERE p.tenant_id = $1 AND p.conversation_id = c.conversation_id AND p.reason IS NOT NULL)
     ORDER BY feed_seq DESC LIMIT $2`,
    [tenantId, limit],
  );
  return rows.map(({ conversationId }) => conversationId);
}
