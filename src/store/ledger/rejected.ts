import type { TenantId } from '../../contracts/tenant.ts';
import type { Db, Param } from '../db.ts';
import { isRefusal } from '../errors.ts';
import { type NewEvent, takeIn } from './take-in.ts';

export interface RejectedEvent {
  readonly eventId: string;
  readonly type: string | null;
  /** Null: it can never be extracted, only kept. */
  readonly conversationId: string | null;
  readonly receivedAt: Date;
  readonly rejectedAt: Date | null;
  readonly reason: string | null;
}

/** A page of rejected events by event id. `after` is the last one of the page before; the empty text begins. */
export async function rejectedEvents(
  db: Db,
  tenantId: TenantId,
  { after = '', limit }: { readonly after?: string; readonly limit: number },
): Promise<readonly RejectedEvent[]> {
  const page = `SELECT event_id AS "eventId", type, conversation_id AS "conversationId", received_at AS "receivedAt",
      coalesce(done_at, taken_at) AS "rejectedAt", reason
    FROM events WHERE tenant_id = $1 AND state = 'rejected' AND event_id > $2 ORDER BY event_id LIMIT $3`;
  const { rows } = await db.transaction((tx) => tx.query<RejectedEvent>(page, [tenantId, after, limit]), {
    alongIndexes: true,
  });
  return rows;
}

export interface RestoreOptions {
  /** Only these; without it, all. */
  readonly eventIds?: readonly string[];
  /** Events that are gone or discarded as well: Gladly may have what they are about after all. */
  readonly gone?: boolean;
  /** Counts, and changes nothing. */
  readonly dryRun: boolean;
  /**
   * Reads the body of an event that names no conversation anew: what could not be read when it came may be readable now. Null: nothing of it
   * belongs into the ledger.
   */
  readonly read: (body: Buffer) => Omit<NewEvent, 'receivedAt' | 'way' | 'body'> | null;
}

export interface Restored {
  /** Rejected events that can be tried again; they wait now, unless it was a dry run. */
  readonly restored: number;
  /** The same of events that were gone or discarded. */
  readonly restoredGone: number;
  /** Rejected events that name no conversation, also when they are read anew: nothing can be read for them. They stay. */
  readonly unusable: number;
}

/** Each of these holds up the tenant's other writers for some milliseconds. */
const STEP = 500;
/** Bodies that are read at once: of the largest, 256 KiB each, they are 6 MB. */
const BODIES = 25;

type Settled = 'rejected' | 'gone' | 'ignored';

const restoreSql = (state: Settled): string => `
  WITH chosen AS MATERIALIZED (
    SELECT ctid AS row FROM events
    WHERE tenant_id = $1 AND state = '${state}' AND conversation_id IS NOT NULL AND ($2::text[] IS NULL OR event_id = ANY($2)) AND event_id > $3
    ORDER BY event_id LIMIT ${STEP} FOR UPDATE
  ), restored AS (
    UPDATE events e SET state = 'waiting', reason = NULL, attempts = 0, missed_at = NULL, done_at = NULL, taken_at = now()
    FROM chosen WHERE e.ctid = chosen.row
    RETURNING e.event_id, e.conversation_id, e.taken_at
  ), queued AS (
    INSERT INTO pending_conversations AS pending (tenant_id, conversation_id, waiting, first_taken_at, last_taken_at)
    SELECT $1, conversation_id, count(*), min(taken_at), max(taken_at) FROM restored GROUP BY conversation_id ORDER BY conversation_id
    ON CONFLICT (tenant_id, conversation_id) DO UPDATE SET
      waiting = pending.waiting + excluded.waiting, attempts = 0, not_before = NULL, reason = NULL,
      first_taken_at = least(pending.first_taken_at, excluded.first_taken_at),
      last_taken_at = greatest(pending.last_taken_at, excluded.last_taken_at)
    RETURNING 1
  ), sums AS (
    SELECT count(*) AS events, max(event_id) AS last, (SELECT count(*) FROM queued) AS conversations FROM restored
  ), counted AS (
    UPDATE tenant_counters c SET waiting = c.waiting + sums.events, ${state} = c.${state} - sums.events
    FROM sums WHERE c.tenant_id = $1 AND sums.events > 0 AND sums.conversations >= 0
  )
  SELECT events, last FROM sums`;

/** Brings rejected events back with a fresh count, in small steps. Cut off half-way, it can simply be called again. */
export async function restoreRejected(db: Db, tenantId: TenantId, options: RestoreOptions): Promise<Restored> {
  const { gone = false } = options;
  const { readable, unusable } = await readAnew(db, tenantId, options);
  const restored = readable + (await restore(db, tenantId, 'rejected', options));
  if (!gone) return { restored, restoredGone: 0, unusable };
  const [were, ignored] = [
    await restore(db, tenantId, 'gone', options),
    await restore(db, tenantId, 'ignored', options),
  ];
  return { restored, restoredGone: were + ignored, unusable };
}

async function restore(db: Db, tenantId: TenantId, state: Settled, options: RestoreOptions): Promise<number> {
  const ids = options.eventIds ?? null;
  if (options.dryRun) {
    const { rows } = await db.query<{ events: number }>(
      `SELECT count(*) AS events FROM events
       WHERE tenant_id = $1 AND state = '${state}' AND conversation_id IS NOT NULL AND ($2::text[] IS NULL OR event_id = ANY($2))`,
      [tenantId, ids],
    );
    return rows[0]?.events ?? 0;
  }
  return await inSteps(db, restoreSql(state), [tenantId, ids]);
}

/** Runs a statement that takes the ids of a step's events after the last one, as its last parameter, until none is left. Returns how many there were. */
async function inSteps(db: Db, sql: string, params: readonly Param[]): Promise<number> {
  let events = 0;
  // By id, so that an event which comes into its state again meanwhile is not taken up endlessly.
  for (let after: string | null = ''; after !== null; ) {
    const step: { events: number; last: string | null } | undefined = (
      await db.transaction((tx) => tx.query<{ events: number; last: string | null }>(sql, [...params, after]), {
        alongIndexes: true,
      })
    ).rows[0];
    events += step?.events ?? 0;
    after = step?.last ?? null;
  }
  return events;
}

interface Nameless {
  readonly eventId: string;
  readonly body: Buffer;
  readonly way: NewEvent['way'];
  readonly receivedAt: Date;
}

/** Rejected events that name no conversation: those that can be read by now take their place in the ledger, under their own id. */
async function readAnew(
  db: Db,
  tenantId: TenantId,
  { eventIds, dryRun, read }: RestoreOptions,
): Promise<{ readonly readable: number; readonly unusable: number }> {
  const page = `SELECT event_id AS "eventId", body, way, received_at AS "receivedAt" FROM events
    WHERE tenant_id = $1 AND state = 'rejected' AND conversation_id IS NULL AND ($2::text[] IS NULL OR event_id = ANY($2)) AND event_id > $3
    ORDER BY event_id LIMIT ${BODIES}`;
  let readable = 0;
  let unusable = 0;
  for (let after: string | undefined = ''; after !== undefined; ) {
    const { rows } = await db.transaction((tx) => tx.query<Nameless>(page, [tenantId, eventIds ?? null, after ?? '']), {
      alongIndexes: true,
    });
    for (const { eventId, ...kept } of rows) {
      const facts = read(kept.body);
      if (facts?.state === 'rejected') unusable += 1;
      else if (dryRun || (await replace(db, tenantId, eventId, facts && { ...facts, ...kept })))
        readable += facts?.state === 'waiting' ? 1 : 0;
      else unusable += 1;
    }
    after = rows.length === BODIES ? rows.at(-1)?.eventId : undefined;
  }
  return { readable, unusable };
}

/** False when Postgres refuses the event as it reads now: then nothing is changed. One that is in the ledger already is not written again. */
async function replace(db: Db, tenantId: TenantId, rejectedId: string, event: NewEvent | null): Promise<boolean> {
  try {
    await db.transaction(async (tx) => {
      const { count } = await tx.query(
        `DELETE FROM events WHERE tenant_id = $1 AND event_id = $2 AND state = 'rejected'`,
        [tenantId, rejectedId],
      );
      if (count === 0) return;
      if (event) await takeIn(tx, tenantId, [event]);
      await tx.query('UPDATE tenant_counters SET rejected = rejected - 1 WHERE tenant_id = $1', [tenantId]);
    });
    return true;
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
}

const DISCARD = `
  WITH chosen AS MATERIALIZED (
    SELECT ctid AS row FROM events
    WHERE tenant_id = $1 AND state = 'rejected' AND ($2::text[] IS NULL OR event_id = ANY($2)) AND event_id > $3
    ORDER BY event_id LIMIT ${STEP} FOR UPDATE
  ), discarded AS (
    UPDATE events e SET state = 'ignored', reason = 'discarded', done_at = now() FROM chosen WHERE e.ctid = chosen.row RETURNING e.event_id
  ), sums AS (
    SELECT count(*) AS events, max(event_id) AS last FROM discarded
  ), counted AS (
    UPDATE tenant_counters c SET ignored = c.ignored + sums.events, rejected = c.rejected - sums.events
    FROM sums WHERE c.tenant_id = $1 AND sums.events > 0
  )
  SELECT events, last FROM sums`;

/**
 * Somebody has looked at rejected events, and nothing is to be done about them: they are ignored from now on, are kept for as long as all that is done, and can be
 * brought back until then. Returns how many.
 */
export async function discardRejected(
  db: Db,
  tenantId: TenantId,
  { eventIds }: { readonly eventIds?: readonly string[] },
): Promise<number> {
  return await inSteps(db, DISCARD, [tenantId, eventIds ?? null]);
}
