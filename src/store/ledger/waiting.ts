import type { WaitingEvent } from '../../contracts/reading.ts';
import type { TenantId } from '../../contracts/tenant.ts';
import type { Queryable } from '../db.ts';

/** The waiting events of these conversations, in Gladly's order. A conversation without any is not in the map. */
export async function waitingEvents(
  db: Queryable,
  tenantId: TenantId,
  conversationIds: readonly string[],
): Promise<ReadonlyMap<string, readonly WaitingEvent[]>> {
  const { rows } = await db.query<WaitingEvent & { conversationId: string }>(
    // LATERAL: one short index scan a conversation, whatever Postgres thinks of how many events wait (locks.ts).
    `SELECT e.* FROM unnest($2::text[]) AS asked(id) CROSS JOIN LATERAL (
       SELECT conversation_id AS "conversationId", event_id AS "eventId", type, item_id AS "itemId", customer_id AS "customerId",
         received_at AS "receivedAt", attempts,
         CASE WHEN way = 'merged' THEN customer_id END AS "formerCustomerId",
         (extract(epoch FROM now() - missed_at) * 1000)::float8 AS "missingMs"
       FROM events WHERE tenant_id = $1 AND conversation_id = asked.id AND state = 'waiting'
       ORDER BY event_at, event_id
     ) e`,
    [tenantId, conversationIds],
  );
  const found = new Map<string, WaitingEvent[]>();
  for (const { conversationId, ...event } of rows) {
    const events = found.get(conversationId);
    if (events) events.push(event);
    else found.set(conversationId, [event]);
  }
  return found;
}
