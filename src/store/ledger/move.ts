import type { TenantId } from '../../contracts/tenant.ts';
import type { Tx } from '../db.ts';
import { lockWaitingEvents } from './locks.ts';

/** A conversation that goes on under another id, and its waiting events. */
export interface Move {
  readonly from: string;
  readonly to: string;
  readonly eventIds: readonly string[];
}

// Before the old ones are counted out, the new ones must be there: each conversation with its change, in the one order of locks. What was put
// off under either id is due: there is something new to read.
const COUNT_OVER = `
  INSERT INTO pending_conversations AS p (tenant_id, conversation_id, waiting, first_taken_at, last_taken_at)
  SELECT $1, id, change, first, last
  FROM unnest($2::text[], $3::integer[], $4::timestamptz[], $5::timestamptz[]) AS row(id, change, first, last) ORDER BY id COLLATE "C"
  ON CONFLICT (tenant_id, conversation_id) DO UPDATE SET waiting = p.waiting + excluded.waiting,
    first_taken_at = least(p.first_taken_at, excluded.first_taken_at), last_taken_at = greatest(p.last_taken_at, excluded.last_taken_at),
    attempts = 0, not_before = NULL, reason = NULL`;

/** Lets waiting events wait under their conversation's new id instead: the reading of that one is theirs. A drain calls `assertFence` before. */
export async function moveEvents(tx: Tx, tenantId: TenantId, moves: readonly Move[]): Promise<void> {
  const locked = await lockWaitingEvents(
    tx,
    tenantId,
    moves.flatMap(({ eventIds }) => eventIds),
  );
  if (locked.length === 0) return;
  const { rows } = await tx.query<{ from: string; to: string; events: number; first: Date; last: Date }>(
    `WITH moved AS (
       UPDATE events e SET conversation_id = m.new_id, attempts = 0, missed_at = NULL
       FROM unnest($1::text[], $2::text[]) AS m(old_id, new_id)
       WHERE e.ctid = ANY($3::tid[]) AND e.conversation_id = m.old_id
       RETURNING m.old_id, m.new_id, e.taken_at
     )
     SELECT old_id AS "from", new_id AS "to", count(*)::integer AS events, min(taken_at) AS first, max(taken_at) AS last
     FROM moved GROUP BY old_id, new_id`,
    [moves.map(({ from }) => from), moves.map(({ to }) => to), locked.map(({ row }) => row)],
  );
  const changes = new Map<string, { change: number; first: Date; last: Date }>();
  const change = (id: string, by: number, first: Date, last: Date): void => {
    const known = changes.get(id) ?? { change: 0, first, last };
    changes.set(id, {
      change: known.change + by,
      first: first < known.first ? first : known.first,
      last: last > known.last ? last : known.last,
    });
  };
  for (const { from, to, events, first, last } of rows) {
    change(from, -events, first, last);
    change(to, events, first, last);
  }
  const all = [...changes];
  await tx.query(COUNT_OVER, [
    tenantId,
    all.map(([id]) => id),
    all.map(([, one]) => one.change),
    all.map(([, one]) => one.first),
    all.map(([, one]) => one.last),
  ]);
  await tx.query(
    'DELETE FROM pending_conversations WHERE tenant_id = $1 AND conversation_id = ANY($2) AND waiting <= 0',
    [tenantId, rows.map(({ from }) => from)],
  );
}
