import type { TenantId } from '../../contracts/tenant.ts';
import type { Queryable } from '../db.ts';
import { UnknownTenantError } from '../errors.ts';
import { type Instant, storableText, storableTime } from '../values.ts';

/** One delivery as it enters the ledger. */
export interface NewEvent {
  /** Gladly's id; for a body without one, an id made from the body, so that a resend is the same. */
  readonly eventId: string;
  readonly type: string | null;
  /** Must be there when the event waits. */
  readonly conversationId: string | null;
  readonly itemId: string | null;
  readonly customerId: string | null;
  /** Gladly's clock. */
  readonly eventAt: Instant | null;
  /** When the webhook endpoint accepted it, by its own clock: to be shown, and to decide nothing. */
  readonly receivedAt: Date;
  /** Through SQS; straight into the ledger because SQS was out; or made from an event that told of a merge (merges.ts). */
  readonly way: 'queue' | 'direct' | 'merged';
  /** As it came; bytes when it is no text; empty when it is no delivery. */
  readonly body: string | Uint8Array;
  /** `rejected`: set aside at once, with the reason. `ignored`: kept for a while, and nothing is to be done about it. */
  readonly state: 'waiting' | 'rejected' | 'ignored';
  readonly reason: string | null;
  /** Tells that this customer is another one from now on: all of their conversations are to be read anew (merges.ts). */
  readonly merge?: MergedCustomer;
}

/** A customer that was merged into another one. */
export interface MergedCustomer {
  readonly customerId: string;
  /** A conversation of theirs that the event names. */
  readonly conversationId: string | null;
}

export interface TakeInOptions {
  /** When they are taken in; without it, now by Postgres's clock. Tests make it certain. */
  readonly now?: Date;
}

export interface TakenIn {
  readonly inserted: number;
  /** Were in the ledger already, or twice in these rows. */
  readonly duplicates: number;
  /** Conversations that got a waiting event. */
  readonly conversations: number;
}

// When an event is due follows from when it was taken in, by Postgres's clock, which also says what time it is then (select-due.ts). received_at
// is of another clock; one that cannot be kept or lies in the future becomes the time of taking in.
//
// One statement, so that it is atomic even outside a transaction. Rows are locked in the order that all writers of the ledger keep: events,
// pending conversations (each sorted), counters last.
const TAKE_IN = `
  WITH tenant AS (
    SELECT tenant_id, coalesce($13::timestamptz, now()) AS at FROM tenant_counters WHERE tenant_id = $1 FOR KEY SHARE
  ), inserted AS (
    INSERT INTO events (tenant_id, event_id, type, conversation_id, item_id, customer_id, event_at, received_at, taken_at, way, body, state,
      reason, done_at)
    SELECT tenant.tenant_id, event_id, type, conversation_id, item_id, customer_id, event_at, least(received_at, tenant.at), tenant.at, way, body,
      state, reason, CASE WHEN state = 'ignored' THEN tenant.at END
    FROM tenant, unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[],
      $9::text[], $10::bytea[], $11::text[], $12::text[])
      AS row(event_id, type, conversation_id, item_id, customer_id, event_at, received_at, way, body, state, reason)
    ORDER BY row.event_id COLLATE "C"
    ON CONFLICT DO NOTHING
    RETURNING event_id, conversation_id, received_at, taken_at, state
  ), queued AS (
    INSERT INTO pending_conversations AS pending (tenant_id, conversation_id, waiting, first_taken_at, last_taken_at)
    SELECT $1, conversation_id, count(*), min(taken_at), max(taken_at)
    FROM inserted WHERE state = 'waiting' GROUP BY conversation_id ORDER BY conversation_id
    ON CONFLICT (tenant_id, conversation_id) DO UPDATE SET
      waiting = pending.waiting + excluded.waiting,
      first_taken_at = least(pending.first_taken_at, excluded.first_taken_at),
      last_taken_at = greatest(pending.last_taken_at, excluded.last_taken_at),
      -- Put off because an item was not there yet: a new event is a reason to look now. Put off because reading failed: it is not.
      not_before = CASE WHEN pending.attempts = 0 THEN NULL ELSE pending.not_before END
    RETURNING 1
  ), merges AS (
    INSERT INTO customer_merges (tenant_id, event_id, source_customer_id, source_conversation_id, received_at)
    SELECT $1, event_id, source_customer_id, source_conversation_id, received_at
    FROM inserted JOIN unnest($14::text[], $15::text[], $16::text[]) AS merge(event_id, source_customer_id, source_conversation_id)
      USING (event_id)
    ORDER BY event_id
    ON CONFLICT DO NOTHING
  ), sums AS (
    SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting, count(*) FILTER (WHERE state = 'rejected') AS rejected,
      count(*) FILTER (WHERE state = 'ignored') AS ignored,
      (SELECT count(*) FROM queued) AS conversations
    FROM inserted
  ), counted AS (
    UPDATE tenant_counters c SET waiting = c.waiting + sums.waiting, rejected = c.rejected + sums.rejected,
      ignored = c.ignored + sums.ignored
    FROM sums WHERE c.tenant_id = $1 AND sums.waiting + sums.rejected + sums.ignored > 0
  )
  SELECT waiting + rejected + ignored AS inserted, conversations, EXISTS (SELECT FROM tenant) AS known FROM sums`;

/**
 * Writes deliveries into the ledger; those it has already are left as they are. Hundreds at once cost little more than one.
 * A drain calls it in a transaction after `assertFence`. Throws UnknownTenantError when the tenant is gone: then nothing was written.
 */
export async function takeIn(
  db: Queryable,
  tenantId: TenantId,
  rows: readonly NewEvent[],
  { now }: TakeInOptions = {},
): Promise<TakenIn> {
  if (rows.length === 0) return { inserted: 0, duplicates: 0, conversations: 0 };
  const merges = rows.flatMap((row) => (row.merge === undefined ? [] : [{ eventId: row.eventId, merge: row.merge }]));
  const { rows: answers } = await db.query<{ inserted: number; conversations: number; known: boolean }>(TAKE_IN, [
    tenantId,
    rows.map((row) => row.eventId),
    rows.map((row) => storableText(row.type)),
    rows.map((row) => row.conversationId),
    rows.map((row) => row.itemId),
    rows.map((row) => row.customerId),
    rows.map((row) => storableTime(row.eventAt)),
    rows.map((row) => storableTime(row.receivedAt)),
    rows.map((row) => row.way),
    rows.map((row) => (typeof row.body === 'string' ? Buffer.from(row.body) : row.body)),
    rows.map((row) => row.state),
    rows.map((row) => row.reason),
    now ?? null,
    merges.map((row) => row.eventId),
    merges.map(({ merge }) => merge.customerId),
    merges.map(({ merge }) => merge.conversationId),
  ]);
  const answer = answers[0];
  if (answer === undefined || !answer.known) throw new UnknownTenantError(tenantId);
  const { inserted, conversations } = answer;
  return { inserted, duplicates: rows.length - inserted, conversations };
}
