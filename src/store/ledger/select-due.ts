import type { TenantId } from '../../contracts/tenant.ts';
import type { Db } from '../db.ts';

/** When a conversation is due, by Postgres's clock. Times in ms. */
export interface Settling {
  /** Without it, now by Postgres's clock, which also wrote the times that this is compared with. Tests make it certain. */
  readonly now?: Date;
  /** Quiet for this long. */
  readonly settleMs: number;
  /** At the latest this long after its first waiting event. */
  readonly settleMaxMs: number;
  /** Conversations that are being read already. */
  readonly excluding?: readonly string[];
}

export interface SelectOptions extends Settling {
  readonly limit: number;
  /** 0 to 1: the part of the picks that goes to the freshest conversations, so that a backlog never starves them. */
  readonly newestShare: number;
  /** As Math.random; tests make it certain. */
  readonly random?: () => number;
}

export interface PendingConversation {
  readonly conversationId: string;
  /** Events. */
  readonly waiting: number;
  /** When its first and its last waiting event were taken in, by Postgres's clock. */
  readonly firstTakenAt: Date;
  readonly lastTakenAt: Date;
  /** Readings that failed in a row. */
  readonly attempts: number;
}

const ALONG_INDEXES = { alongIndexes: true };
const COLUMNS = 'conversation_id, waiting, first_taken_at, last_taken_at, attempts';
const NOW = 'coalesce($5::timestamptz, now())';
const QUIET = `tenant_id = $1 AND not_before IS NULL AND conversation_id <> ALL($2)
  AND (last_taken_at <= ${NOW} - $3 * interval '1 ms' OR first_taken_at <= ${NOW} - $4 * interval '1 ms')`;

// The scans run along pending_by_age and skip only what is in flight or not quiet yet, which is at the newest end: their cost does
// not depend on how much waits. What was rescheduled has been quiet for long when its time comes.
const SELECT_DUE = `
  WITH oldest AS (
    SELECT ${COLUMNS} FROM pending_conversations WHERE ${QUIET} ORDER BY first_taken_at LIMIT $6
  ), postponed AS (
    SELECT ${COLUMNS} FROM pending_conversations
    WHERE tenant_id = $1 AND not_before <= ${NOW} AND conversation_id <> ALL($2) ORDER BY not_before LIMIT $6
  ), newest AS (
    SELECT ${COLUMNS} FROM pending_conversations WHERE ${QUIET} ORDER BY first_taken_at DESC LIMIT $7
  )
  SELECT lane, conversation_id AS "conversationId", waiting, first_taken_at AS "firstTakenAt",
    last_taken_at AS "lastTakenAt", attempts
  FROM (SELECT 'oldest' AS lane, * FROM oldest UNION ALL SELECT 'oldest', * FROM postponed UNION ALL SELECT 'newest', * FROM newest) due
  ORDER BY first_taken_at, conversation_id`;

/**
 * Conversations that are due: the oldest need first, with the freshest interleaved among them by `newestShare` (rounded up or down at
 * random, so that it holds on average for small limits too). Picking changes nothing: pass what is in flight as `excluding`.
 */
export async function selectDue(
  db: Db,
  tenantId: TenantId,
  options: SelectOptions,
): Promise<readonly PendingConversation[]> {
  const { now = null, settleMs, settleMaxMs, excluding = [], limit, newestShare, random = Math.random } = options;
  const fresh = Math.min(limit, Math.floor(limit * newestShare + random()));
  const params = [tenantId, excluding, settleMs, settleMaxMs, now ?? null, limit, fresh];
  const { rows } = await db.transaction(
    (tx) => tx.query<PendingConversation & { lane: 'oldest' | 'newest' }>(SELECT_DUE, params),
    ALONG_INDEXES,
  );
  const newest = rows.filter(({ lane }) => lane === 'newest').reverse();
  const taken = new Set(newest.map(({ conversationId }) => conversationId));
  const oldest = rows.filter(({ lane, conversationId }) => lane === 'oldest' && !taken.has(conversationId));
  return interleaved(oldest.slice(0, limit - newest.length), newest).map(
    ({ lane: _, ...conversation }) => conversation,
  );
}

// Called after selectDue, so what is left and not rescheduled is young and little; of many, the oldest are the next.
const NEXT_DUE = `
  SELECT ceil(extract(epoch FROM least(
    (SELECT min(least(last_taken_at + $3 * interval '1 ms', first_taken_at + $4 * interval '1 ms')) FROM (
       SELECT first_taken_at, last_taken_at FROM pending_conversations
       WHERE tenant_id = $1 AND not_before IS NULL AND conversation_id <> ALL($2) ORDER BY first_taken_at LIMIT 1000) young),
    (SELECT not_before FROM pending_conversations
     WHERE tenant_id = $1 AND not_before IS NOT NULL AND conversation_id <> ALL($2) ORDER BY not_before LIMIT 1)
  ) - ${NOW}) * 1000)::float8 AS "dueMs"`;

/** Milliseconds until the next conversation is due, rounded up, 0 when it is already; null when nothing waits but what is excluded. */
export async function nextDueMs(db: Db, tenantId: TenantId, settling: Settling): Promise<number | null> {
  const { now, settleMs, settleMaxMs, excluding = [] } = settling;
  const params = [tenantId, excluding, Math.min(settleMs, settleMaxMs), settleMaxMs, now ?? null];
  const { rows } = await db.transaction((tx) => tx.query<{ dueMs: number | null }>(NEXT_DUE, params), ALONG_INDEXES);
  const dueMs = rows[0]?.dueMs ?? null;
  return dueMs === null ? null : Math.max(0, dueMs);
}

/** Interleaves the two evenly, so that a prefix has some of both. */
function interleaved<T>(many: readonly T[], few: readonly T[]): readonly T[] {
  const total = many.length + few.length;
  const before = (index: number): number => Math.floor((index * few.length) / total);
  return Array.from({ length: total }, (_, index) => {
    const used = before(index);
    return before(index + 1) > used ? few[used] : many[index - used];
  }).filter((one) => one !== undefined);
}
