import { type ConversationResult, type Item, nothing, type Reading } from '../../../src/contracts/reading.ts';
import type { Db, Tx } from '../../../src/store/db.ts';
import { completeEvents, type EventOutcome } from '../../../src/store/ledger/complete.ts';
import { addCounts, type Completed, eventCounts } from '../../../src/store/ledger/counters.ts';
import { type NewEvent, takeIn } from '../../../src/store/ledger/take-in.ts';

/** 09:00 plus some seconds of the day on which all of this happens. */
export const at = (seconds: number): Date => new Date(Date.UTC(2026, 0, 5, 9) + seconds * 1_000);

export function event(
  eventId: string,
  conversationId: string | null,
  receivedAt = at(0),
  more: Partial<NewEvent> = {},
): NewEvent {
  return {
    eventId,
    type: 'CONTACT/MESSAGE_RECEIVED',
    conversationId,
    itemId: null,
    customerId: 'customer-1',
    eventAt: receivedAt,
    receivedAt,
    way: 'queue',
    body: `{"id":"${eventId}"}`,
    state: 'waiting',
    reason: null,
    ...more,
  };
}

/** Takes each event in at the time at which it was received. */
export async function takeInThen(db: Db, tenantId: string, events: readonly NewEvent[]): Promise<void> {
  for (const one of events) await takeIn(db, tenantId, [one], { now: one.receivedAt });
}

export function item(id: string, text = `text of ${id}`, more: Partial<Item> = {}): Item {
  return {
    id,
    conversationId: null,
    customerId: 'customer-1',
    timestamp: '2026-01-05T09:00:00.123456789Z',
    type: 'CHAT_MESSAGE',
    initiatorType: 'CUSTOMER',
    initiatorId: 'customer-1',
    responderType: null,
    responderId: null,
    direction: 'inbound',
    channel: 'CHAT',
    subject: null,
    text,
    attachments: 0,
    sessionId: null,
    raw: { id, content: { type: 'CHAT_MESSAGE', content: text } },
    ...more,
  };
}

export function reading(status: string, items: readonly Item[], readAt: Date, limited = false): Reading {
  const conversation = {
    customerId: 'customer-1',
    createdAt: '2026-01-05T08:00:00Z',
    inboxId: 'inbox-1',
    status,
    topicIds: ['topic-1', 'topic-2'],
    customAttributes: [{ id: 'attribute-1', value: 'gold' }],
  };
  return { conversation, raw: { ...conversation, id: 'as Gladly sent it' }, items, limited, readAt };
}

export function write(conversationId: string, more: Partial<ConversationResult>): ConversationResult {
  return { ...nothing(conversationId), ...more };
}

/** What a drain does with events when there is no reading to be stored. */
export async function settleEvents(tx: Tx, tenantId: string, outcomes: readonly EventOutcome[]): Promise<Completed> {
  const completed = await completeEvents(tx, tenantId, outcomes);
  await addCounts(tx, tenantId, completed);
  return completed;
}

/** The counters, and what they should be: counted in the ledger itself. */
export async function countsBothWays(
  db: Db,
  tenantId: string,
): Promise<{ readonly kept: object; readonly counted: object }> {
  const { waiting, extracted, gone, rejected, ignored, oldestWaitingAt } = await eventCounts(db, tenantId);
  const { rows } = await db.query(
    `SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting, count(*) FILTER (WHERE state = 'extracted') AS extracted,
       count(*) FILTER (WHERE state = 'gone') AS gone, count(*) FILTER (WHERE state = 'rejected') AS rejected,
       count(*) FILTER (WHERE state = 'ignored') AS ignored,
       min(taken_at) FILTER (WHERE state = 'waiting') AS "oldestWaitingAt",
       count(DISTINCT conversation_id) FILTER (WHERE state = 'waiting') AS pending
     FROM events WHERE tenant_id = $1`,
    [tenantId],
  );
  const pending = await db.query<{ pending: number; waiting: number }>(
    'SELECT count(*) AS pending, coalesce(sum(waiting), 0)::int8 AS waiting FROM pending_conversations WHERE tenant_id = $1',
    [tenantId],
  );
  const queue = pending.rows[0];
  if (queue?.waiting !== waiting)
    throw new Error(`the work queue counts ${queue?.waiting} waiting events, the counters ${waiting}`);
  return {
    kept: { waiting, extracted, gone, rejected, ignored, oldestWaitingAt, pending: queue.pending },
    counted: rows[0] ?? {},
  };
}

/** Has Postgres refuse rows of `table` that do not fit `check` (23514), while `act` runs. Rows that are there already stay. */
export async function withRule<T>(db: Db, table: string, check: string, act: () => Promise<T>): Promise<T> {
  await db.query(`ALTER TABLE ${table} ADD CONSTRAINT no_poison CHECK (${check}) NOT VALID`);
  try {
    return await act();
  } finally {
    await db.query(`ALTER TABLE ${table} DROP CONSTRAINT no_poison`);
  }
}
