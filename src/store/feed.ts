import type { TenantId } from '../contracts/tenant.ts';
import type { Db, Queryable } from './db.ts';

/** A conversation as it is served. Its raw form is what Gladly sent, all of it. */
export interface FeedConversation {
  /** Its latest change in the tenant's feed; 1 is the first. */
  readonly seq: number;
  readonly conversationId: string;
  readonly customerId: string | null;
  readonly status: string | null;
  readonly createdAt: Date | null;
  readonly closedAt: Date | null;
  readonly inboxId: string | null;
  readonly agentId: string | null;
  readonly topicIds: readonly string[];
  readonly customAttributes: unknown;
  readonly itemCount: number;
  readonly limited: boolean;
  readonly readAt: Date | null;
  readonly goneAt: Date | null;
  /** The id under which a conversation goes on that is gone under its own. */
  readonly movedTo: string | null;
  readonly raw: unknown;
}

export interface FeedItem {
  readonly itemId: string;
  readonly type: string | null;
  readonly at: Date | null;
  readonly customerId: string | null;
  readonly initiatorType: string | null;
  readonly initiatorId: string | null;
  readonly responderType: string | null;
  readonly responderId: string | null;
  readonly direction: string | null;
  readonly channel: string | null;
  readonly subject: string | null;
  readonly content: string | null;
  readonly attachmentCount: number;
  readonly sessionId: string | null;
  readonly raw: unknown;
}

const CONVERSATION = `feed_seq AS seq, conversation_id AS "conversationId", customer_id AS "customerId", status, created_at AS "createdAt",
  closed_at AS "closedAt", inbox_id AS "inboxId", agent_id AS "agentId", topic_ids AS "topicIds", custom_attributes AS "customAttributes",
  item_count AS "itemCount", limited, read_at AS "readAt", gone_at AS "goneAt", moved_to AS "movedTo", raw`;

const ITEM = `item_id AS "itemId", type, at, customer_id AS "customerId", initiator_type AS "initiatorType", initiator_id AS "initiatorId",
  responder_type AS "responderType", responder_id AS "responderId", direction, channel, subject, content,
  attachment_count AS "attachmentCount", session_id AS "sessionId", raw`;

/**
 * The conversations that changed after this number, in the order of their latest changes. The next page begins after the last one's
 * `seq`. A conversation that changes again moves to the end, so a reader gets each in its newest state, some of them more than once, and
 * misses none: numbers are committed in their order.
 */
export async function readFeed(
  db: Db,
  tenantId: TenantId,
  after: number,
  limit: number,
): Promise<readonly FeedConversation[]> {
  const page = `SELECT ${CONVERSATION} FROM conversations WHERE tenant_id = $1 AND feed_seq > $2 ORDER BY feed_seq LIMIT $3`;
  const { rows } = await db.transaction((tx) => tx.query<FeedConversation>(page, [tenantId, after, limit]), {
    alongIndexes: true,
  });
  return rows;
}

export interface WholeConversation {
  readonly conversation: FeedConversation;
  /** In the order of their times. */
  readonly items: readonly FeedItem[];
}

/** One conversation with all its items; null when it is not stored. */
export async function getConversation(
  db: Queryable,
  tenantId: TenantId,
  conversationId: string,
): Promise<WholeConversation | null> {
  const { rows } = await db.query<FeedConversation>(
    `SELECT ${CONVERSATION} FROM conversations WHERE tenant_id = $1 AND conversation_id = $2`,
    [tenantId, conversationId],
  );
  const conversation = rows[0];
  if (conversation === undefined) return null;
  const items = await readItems(db, tenantId, [conversationId]);
  return { conversation, items: items.get(conversationId) ?? [] };
}

/** The items of a page of conversations, in the order of their times. Up to some thousands each: keep the pages small. */
export async function readItems(
  db: Queryable,
  tenantId: TenantId,
  conversationIds: readonly string[],
): Promise<ReadonlyMap<string, readonly FeedItem[]>> {
  const { rows } = await db.query<FeedItem & { conversationId: string }>(
    `SELECT conversation_id AS "conversationId", ${ITEM} FROM items
     WHERE tenant_id = $1 AND conversation_id = ANY($2) ORDER BY conversation_id, at, item_id`,
    [tenantId, conversationIds],
  );
  const found = new Map<string, FeedItem[]>(conversationIds.map((id) => [id, []]));
  for (const { conversationId, ...item } of rows) found.get(conversationId)?.push(item);
  return found;
}

/** How many conversations of a tenant are stored, counted no further than `most`: enough to show that they arrive. */
export async function countConversations(db: Db, tenantId: TenantId, most: number): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    'SELECT count(*)::integer AS count FROM (SELECT FROM conversations WHERE tenant_id = $1 LIMIT $2) AS counted',
    [tenantId, most],
  );
  return rows[0]?.count ?? 0;
}
