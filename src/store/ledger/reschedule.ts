import type { TenantId } from '../../contracts/tenant.ts';
import type { Tx } from '../db.ts';
import { lockPending, lockWaitingEvents } from './locks.ts';

export interface Rescheduling {
  readonly conversationId: string;
  /** Not due before so many ms have passed, by Postgres's clock. */
  readonly inMs: number;
  /** A code of ours. */
  readonly reason: string;
  /**
   * Whose attempts this counts as: named events were looked for and not found (their own attempts); without any, the reading of the
   * conversation failed (the conversation's attempts, which a reading that worked sets back).
   */
  readonly eventIds?: readonly string[];
}

/** Puts conversations off. One that has no waiting events any more is left out. A drain calls `assertFence` before. */
export async function reschedule(tx: Tx, tenantId: TenantId, reschedulings: readonly Rescheduling[]): Promise<void> {
  if (reschedulings.length === 0) return;
  const lookedFor = await lockWaitingEvents(
    tx,
    tenantId,
    reschedulings.flatMap(({ eventIds }) => eventIds ?? []),
  );
  if (lookedFor.length > 0) {
    await tx.query(
      'UPDATE events SET attempts = attempts + 1, missed_at = coalesce(missed_at, now()) WHERE ctid = ANY($1::tid[])',
      [lookedFor.map(({ row }) => row)],
    );
  }
  const byId = new Map(reschedulings.map((one) => [one.conversationId, one]));
  const pending = (await lockPending(tx, tenantId, [...byId.keys()])).flatMap(({ row, conversationId }) => {
    const wanted = byId.get(conversationId);
    return wanted === undefined ? [] : [{ ...wanted, row }];
  });
  if (pending.length === 0) return;
  await tx.query(
    `UPDATE pending_conversations p SET not_before = now() + w.in_ms * interval '1 ms', reason = w.reason,
       attempts = CASE WHEN w.failed THEN p.attempts + 1 ELSE 0 END
     FROM unnest($1::text[], $2::float8[], $3::text[], $4::boolean[]) AS w(conversation_id, in_ms, reason, failed)
     WHERE p.ctid = ANY($5::tid[]) AND p.conversation_id = w.conversation_id`,
    [
      pending.map(({ conversationId }) => conversationId),
      pending.map(({ inMs }) => inMs),
      pending.map(({ reason }) => reason),
      pending.map(({ eventIds }) => eventIds === undefined),
      pending.map(({ row }) => row),
    ],
  );
}
