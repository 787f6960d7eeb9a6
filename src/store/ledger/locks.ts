import type { TenantId } from '../../contracts/tenant.ts';
import type { Tx } from '../db.ts';

/**
 * Rows of the ledger are locked first and changed by the next statement, by their place (ctid).
 *
 * Locking: each row is looked up by its whole key; with LATERAL no plan can read all that waits instead, which Postgres does where it
 * has no statistics. Every writer locks in the order of the ids, so that two of them never wait for each other.
 *
 * Changing: a statement does not see versions younger than itself. If locking had to wait for another transaction, only the next
 * statement finds the row where it is now; there it stays, since it is locked.
 */
export interface LockedEvent {
  readonly row: string;
  readonly eventId: string;
  readonly conversationId: string;
}

/** Those of these events that wait. Each once, however often it is named. */
export async function lockWaitingEvents(
  tx: Tx,
  tenantId: TenantId,
  eventIds: readonly string[],
): Promise<readonly LockedEvent[]> {
  if (eventIds.length === 0) return [];
  const { rows } = await tx.query<LockedEvent & { state: string }>(
    `SELECT e.row, e.event_id AS "eventId", e.conversation_id AS "conversationId", e.state
     FROM (SELECT DISTINCT id COLLATE "C" AS id FROM unnest($2::text[]) AS wanted(id) ORDER BY 1) wanted
     CROSS JOIN LATERAL (
       SELECT ctid::text AS row, event_id, conversation_id, state FROM events
       WHERE tenant_id = $1 AND event_id = wanted.id FOR UPDATE) e`,
    [tenantId, eventIds],
  );
  return rows.filter(({ state }) => state === 'waiting');
}

export interface LockedPending {
  readonly row: string;
  readonly conversationId: string;
  /** Events. */
  readonly waiting: number;
}

/** Those of these conversations that are in the work queue. */
export async function lockPending(
  tx: Tx,
  tenantId: TenantId,
  conversationIds: readonly string[],
): Promise<readonly LockedPending[]> {
  if (conversationIds.length === 0) return [];
  const { rows } = await tx.query<LockedPending>(
    `SELECT p.row, p.conversation_id AS "conversationId", p.waiting
     FROM (SELECT DISTINCT id COLLATE "C" AS id FROM unnest($2::text[]) AS wanted(id) ORDER BY 1) wanted
     CROSS JOIN LATERAL (
       SELECT ctid::text AS row, conversation_id, waiting FROM pending_conversations
       WHERE tenant_id = $1 AND conversation_id = wanted.id FOR UPDATE) p`,
    [tenantId, conversationIds],
  );
  return rows;
}
