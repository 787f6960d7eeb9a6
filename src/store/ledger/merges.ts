import type { TenantId } from '../../contracts/tenant.ts';
import type { Db, Tx } from '../db.ts';
import { assertFence } from '../drains.ts';
import { type NewEvent, takeIn } from './take-in.ts';

/** Conversations of one transaction. */
const STEP = 200;

interface OpenMerge {
  readonly eventId: string;
  readonly sourceCustomerId: string;
  readonly sourceConversationId: string | null;
  readonly receivedAt: Date;
  readonly after: string;
}

/**
 * When a customer is merged into another, all conversations of theirs are the other's from then on, and no event tells of each. Gives every stored
 * one, and every one that waits to be read, a waiting event of its own (way `merged`), in steps of 200 under the drain's fence, until some
 * are due or no merge is left. Cut off anywhere, it goes on where it was; an event that exists already is left as it is.
 */
export async function spreadMerges(db: Db, tenantId: TenantId, fence: number): Promise<void> {
  for (;;) {
    const { rows } = await db.query<{ open: boolean }>(
      'SELECT EXISTS (SELECT FROM customer_merges WHERE tenant_id = $1) AS open',
      [tenantId],
    );
    if (rows[0]?.open !== true) return;
    const added = await db.transaction((tx) => spreadStep(tx, tenantId, fence), { alongIndexes: true });
    if (added > 0) return;
  }
}

// Of what waits only some may be this customer's: one walk along the index of what waits, over all steps together.
const NEXT = `
  SELECT conversation_id AS id FROM (
    (SELECT conversation_id FROM conversations
     WHERE tenant_id = $1 AND customer_id = $2 AND conversation_id > $3 AND gone_at IS NULL ORDER BY conversation_id LIMIT ${STEP})
    UNION
    (SELECT DISTINCT conversation_id FROM events
     WHERE tenant_id = $1 AND state = 'waiting' AND customer_id = $2 AND conversation_id > $3 ORDER BY conversation_id LIMIT ${STEP})
  ) AS found ORDER BY conversation_id LIMIT ${STEP}`;

/** Returns how many events it added. */
async function spreadStep(tx: Tx, tenantId: TenantId, fence: number): Promise<number> {
  await assertFence(tx, tenantId, fence);
  const { rows } = await tx.query<OpenMerge>(
    `SELECT event_id AS "eventId", source_customer_id AS "sourceCustomerId", source_conversation_id AS "sourceConversationId",
       received_at AS "receivedAt", after_conversation_id AS after
     FROM customer_merges WHERE tenant_id = $1 ORDER BY event_id LIMIT 1 FOR UPDATE`,
    [tenantId],
  );
  const merge = rows[0];
  if (merge === undefined) return 0;
  const { eventId, sourceCustomerId, sourceConversationId, after } = merge;
  const found = (await tx.query<{ id: string }>(NEXT, [tenantId, sourceCustomerId, after])).rows.map(({ id }) => id);
  const named = after === '' && sourceConversationId !== null ? [sourceConversationId] : [];
  const ids = new Set([...named, ...found]);
  const { inserted } = await takeIn(
    tx,
    tenantId,
    [...ids].map((id) => eventOf(merge, id)),
  );
  const last = found.length === STEP ? found.at(-1) : undefined;
  if (last === undefined) {
    await tx.query('DELETE FROM customer_merges WHERE tenant_id = $1 AND event_id = $2', [tenantId, eventId]);
  } else {
    await tx.query('UPDATE customer_merges SET after_conversation_id = $3 WHERE tenant_id = $1 AND event_id = $2', [
      tenantId,
      eventId,
      last,
    ]);
  }
  return inserted;
}

/** The same one for the same conversation, whenever it is made. Its customer is the one that the conversation should not have any more. */
const eventOf = ({ eventId, sourceCustomerId, receivedAt }: OpenMerge, conversationId: string): NewEvent => ({
  eventId: `merged:${eventId}:${conversationId}`,
  type: 'CUSTOMER/MERGED',
  conversationId,
  itemId: null,
  customerId: sourceCustomerId,
  eventAt: null,
  receivedAt,
  way: 'merged',
  body: '',
  state: 'waiting',
  reason: null,
});
