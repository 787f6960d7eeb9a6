import type { TenantId } from '../../contracts/tenant.ts';
import type { Queryable } from '../db.ts';

/** What is stored of a conversation: enough to say whether an event costs a call. */
export interface LastReading {
  /** Gladly's clock; null when it was never read, or Gladly never said the time. */
  readonly readAt: Date | null;
  /** Gladly did not show all items then. */
  readonly limited: boolean;
  /** Those of the items asked for that are stored. */
  readonly knownItems: ReadonlySet<string>;
}

/** One entry for each conversation asked about. `itemIds`: the items that its waiting events name. */
export async function lastReadings(
  db: Queryable,
  tenantId: TenantId,
  asked: readonly { readonly conversationId: string; readonly itemIds: readonly string[] }[],
): Promise<ReadonlyMap<string, LastReading>> {
  const pairs = asked.flatMap(({ conversationId, itemIds }) =>
    itemIds.map((itemId) => [conversationId, itemId] as const),
  );
  const { rows } = await db.query<{
    conversationId: string;
    readAt: Date | null;
    limited: boolean;
    itemIds: readonly string[];
  }>(
    `SELECT c.conversation_id AS "conversationId", c.read_at AS "readAt", c.limited, coalesce(i.ids, '{}') AS "itemIds"
     FROM conversations c
     LEFT JOIN (
       SELECT i.conversation_id, array_agg(i.item_id::text) AS ids
       FROM unnest($3::text[], $4::text[]) AS pair(conversation_id, item_id)
       JOIN items i ON i.tenant_id = $1 AND i.conversation_id = pair.conversation_id AND i.item_id = pair.item_id
       GROUP BY i.conversation_id
     ) i USING (conversation_id)
     WHERE c.tenant_id = $1 AND c.conversation_id = ANY($2) AND c.gone_at IS NULL`,
    [
      tenantId,
      asked.map(({ conversationId }) => conversationId),
      pairs.map(([conversationId]) => conversationId),
      pairs.map(([, itemId]) => itemId),
    ],
  );
  const stored = new Map(rows.map((row) => [row.conversationId, row]));
  return new Map(
    asked.map(({ conversationId }) => {
      const row = stored.get(conversationId);
      return [
        conversationId,
        { readAt: row?.readAt ?? null, limited: row?.limited ?? false, knownItems: new Set(row?.itemIds) },
      ];
    }),
  );
}
