import type { TenantId } from '../../contracts/tenant.ts';
import type { Tx } from '../db.ts';
import type { Completed } from './counters.ts';
import { type LockedPending, lockPending, lockWaitingEvents } from './locks.ts';

/** What becomes of a waiting event. `reason` is a code of ours, never foreign text. */
export interface EventOutcome {
  readonly eventId: string;
  readonly state: 'extracted' | 'gone' | 'rejected';
  readonly reason?: string;
}

/**
 * Completes waiting events; one that is completed already stays as it is, so it is idempotent. Its conversation leaves the work queue with its last
 * waiting event; events that came meanwhile keep it there. A drain calls it in a transaction, after `assertFence`, and `addCounts` at the
 * transaction's end: the counters' row is locked last.
 */
export async function completeEvents(
  tx: Tx,
  tenantId: TenantId,
  outcomes: readonly EventOutcome[],
): Promise<Completed> {
  if (outcomes.length === 0) return { extracted: 0, gone: 0, rejected: 0 };
  const outcomeOf = new Map(outcomes.map((outcome) => [outcome.eventId, outcome]));
  const locked = await lockWaitingEvents(tx, tenantId, [...outcomeOf.keys()]);
  const changes = locked.flatMap((event) => {
    const outcome = outcomeOf.get(event.eventId);
    return outcome === undefined ? [] : [{ ...event, ...outcome }];
  });
  if (changes.length > 0) {
    await tx.query(
      `UPDATE events e SET state = o.state, reason = o.reason, done_at = now()
       FROM unnest($1::text[], $2::text[], $3::text[]) AS o(event_id, state, reason)
       WHERE e.ctid = ANY($4::tid[]) AND e.event_id = o.event_id`,
      [
        changes.map(({ eventId }) => eventId),
        changes.map(({ state }) => state),
        changes.map(({ reason }) => reason ?? null),
        changes.map(({ row }) => row),
      ],
    );
    await shrinkPending(tx, tenantId, changes);
  }
  const count = (state: EventOutcome['state']): number => changes.filter((change) => change.state === state).length;
  return { extracted: count('extracted'), gone: count('gone'), rejected: count('rejected') };
}

/** Takes completed events off the work queue; conversations without any others leave it. */
async function shrinkPending(
  tx: Tx,
  tenantId: TenantId,
  completed: readonly { readonly conversationId: string }[],
): Promise<void> {
  const counts = new Map<string, number>();
  for (const { conversationId } of completed) counts.set(conversationId, (counts.get(conversationId) ?? 0) + 1);
  const pending = (await lockPending(tx, tenantId, [...counts.keys()])).map((conversation) => ({
    ...conversation,
    waiting: conversation.waiting - (counts.get(conversation.conversationId) ?? 0),
  }));
  const done = pending.filter(({ waiting }) => waiting === 0).map(({ row }) => row);
  const open = pending.filter(({ waiting }) => waiting > 0);
  if (done.length > 0) await tx.query('DELETE FROM pending_conversations WHERE ctid = ANY($1::tid[])', [done]);
  if (open.length > 0) await keepPending(tx, tenantId, open);
}

/** The count and the times of what still waits: what has come until now is in the ledger, and what comes later adds itself. */
async function keepPending(tx: Tx, tenantId: TenantId, open: readonly LockedPending[]): Promise<void> {
  await tx.query(
    `UPDATE pending_conversations p SET waiting = o.waiting, first_taken_at = o.first, last_taken_at = o.last,
       attempts = 0, not_before = NULL, reason = NULL
     FROM (
       SELECT o.conversation_id, o.waiting, e.first, e.last
       FROM unnest($2::text[], $3::integer[]) AS o(conversation_id, waiting)
       CROSS JOIN LATERAL (
         SELECT min(taken_at) AS first, max(taken_at) AS last FROM events
         WHERE tenant_id = $1 AND conversation_id = o.conversation_id AND state = 'waiting') e
     ) o WHERE p.ctid = ANY($4::tid[]) AND p.conversation_id = o.conversation_id`,
    [
      tenantId,
      open.map(({ conversationId }) => conversationId),
      open.map(({ waiting }) => waiting),
      open.map(({ row }) => row),
    ],
  );
}
