import type { TenantId } from '../contracts/tenant.ts';
import type { Queryable, Tx } from './db.ts';
import { UnknownTenantError } from './errors.ts';
import { jsonbText } from './values.ts';

/** Another drain of this tenant has begun since. Stop at once: nothing of this transaction was written. */
export class StaleDrainError extends Error {
  override readonly name = 'StaleDrainError';
  readonly tenantId: TenantId;

  constructor(tenantId: TenantId) {
    super(`A newer drain of tenant ${tenantId} has begun: this one may change nothing any more`);
    this.tenantId = tenantId;
  }
}

/**
 * Begins a drain of the worker `holder`: from now on only the returned fence may write, the tenant is not parked, and what was ordered of the drain
 * before is void. Waits for transactions that a drain before has open. Throws UnknownTenantError.
 */
export async function beginDrain(db: Queryable, tenantId: TenantId, holder: string): Promise<number> {
  const { rows } = await db.query<{ fence: number }>(
    `WITH void AS (DELETE FROM drain_orders WHERE tenant_id = $1)
     UPDATE drains SET fence = fence + 1, holder = $2, began_at = now(), last_activity_at = now(), parked_at = NULL
     WHERE tenant_id = $1 RETURNING fence`,
    [tenantId, holder],
  );
  const fence = rows[0]?.fence;
  if (fence === undefined) throw new UnknownTenantError(tenantId);
  return fence;
}

/** `stop`: finish what is in hand and end. `look`: something is in the ledger that did not come through the queue. */
export type DrainOrder = 'stop' | 'look';

/** Tells the drains of these tenants, wherever they are at work. Of a tenant that has none the order is void when one begins. */
export async function orderDrains(db: Queryable, tenantIds: readonly TenantId[], what: DrainOrder): Promise<void> {
  await db.query(
    `INSERT INTO drain_orders (tenant_id, what) SELECT tenant_id, $2 FROM unnest($1::text[]) AS row(tenant_id) ORDER BY tenant_id COLLATE "C"
     ON CONFLICT DO NOTHING`,
    [tenantIds, what],
  );
}

/** Takes away what was ordered of the drains that `holder` has. */
export async function takeOrders(
  db: Queryable,
  holder: string,
): Promise<readonly { readonly tenantId: TenantId; readonly what: DrainOrder }[]> {
  const { rows } = await db.query<{ tenantId: TenantId; what: DrainOrder }>(
    `DELETE FROM drain_orders o USING drains d WHERE d.tenant_id = o.tenant_id AND d.holder = $1
     RETURNING o.tenant_id AS "tenantId", o.what`,
    [holder],
  );
  return rows;
}

/** What earlier drains of a tenant leave to the next one. Times in ms, by Postgres's clock; null: not known. */
export interface LeftByDrains {
  /** Since Gladly last answered as it should; null while it does. */
  readonly troubledForMs: number | null;
  /** Between events, and since the last one (activities/drain/pace.ts). */
  readonly paceMs: number | null;
  readonly sinceFoundMs: number | null;
}

export async function leftByDrains(db: Queryable, tenantId: TenantId): Promise<LeftByDrains> {
  const { rows } = await db.query<LeftByDrains>(
    `SELECT (extract(epoch FROM now() - gladly_waiting_since) * 1000)::float8 AS "troubledForMs",
       pace_ms AS "paceMs", (extract(epoch FROM now() - found_at) * 1000)::float8 AS "sinceFoundMs"
     FROM drains WHERE tenant_id = $1`,
    [tenantId],
  );
  return rows[0] ?? { troubledForMs: null, paceMs: null, sinceFoundMs: null };
}

/**
 * First in every transaction of a drain. Holds the fence until the transaction ends, so that a newer drain begins before it or after
 * it, never within. Throws StaleDrainError.
 */
export async function assertFence(tx: Tx, tenantId: TenantId, fence: number): Promise<void> {
  const { rows } = await tx.query<{ fence: number }>('SELECT fence FROM drains WHERE tenant_id = $1 FOR SHARE', [
    tenantId,
  ]);
  if (rows[0]?.fence !== fence) throw new StaleDrainError(tenantId);
}

/** Marks the tenant parked, and keeps what was learnt of its pace. The drain must look at the queue once more after it. Throws StaleDrainError. */
export async function markParked(
  db: Queryable,
  tenantId: TenantId,
  fence: number,
  pace: { readonly paceMs: number | null; readonly sinceFoundMs: number | null } = { paceMs: null, sinceFoundMs: null },
): Promise<void> {
  const { count } = await db.query(
    `UPDATE drains SET parked_at = now(), pace_ms = coalesce($3, pace_ms), found_at = coalesce(now() - $4::float8 * interval '1 ms', found_at)
     WHERE tenant_id = $1 AND fence = $2`,
    [tenantId, fence, pace.paceMs && Math.round(pace.paceMs), pace.sinceFoundMs],
  );
  if (count === 0) throw new StaleDrainError(tenantId);
}

/** True only for the caller that cleared the mark: that one has to wake the tenant. */
export async function clearParked(db: Queryable, tenantId: TenantId): Promise<boolean> {
  return (await clearParkedOf(db, [tenantId])).length === 1;
}

/** Clears the marks of several tenants and returns those that this call cleared. Rows that are not parked are not even locked. */
export async function clearParkedOf(db: Queryable, tenantIds: readonly TenantId[]): Promise<readonly TenantId[]> {
  const { rows } = await db.query<{ tenantId: TenantId }>(
    `UPDATE drains d SET parked_at = NULL
     FROM (SELECT tenant_id FROM drains WHERE tenant_id = ANY($1) AND parked_at IS NOT NULL ORDER BY tenant_id FOR UPDATE) parked
     WHERE d.tenant_id = parked.tenant_id RETURNING d.tenant_id AS "tenantId"`,
    [tenantIds],
  );
  return rows.map(({ tenantId }) => tenantId);
}

/** What a drain sees of the world, for the status. It stays when the drain ends, until another drain says otherwise. */
export interface DrainView {
  /** Code of the problem that stands in the way (contracts/problems.ts); `none`: Gladly answers; `unknown`: it was not asked yet. */
  readonly problemCode: string;
  readonly lastActivityAt: Date;
  /** When the queue was last seen empty; null: not since it was noted before. */
  readonly queueEmptyAt: Date | null;
  /** Null: not known, what was noted before stays. */
  readonly quota: NotedQuota | null;
}

export interface DrainState extends Pick<DrainView, 'queueEmptyAt'> {
  readonly tenantId: TenantId;
  readonly fence: number;
  readonly holder: string | null;
  readonly beganAt: Date | null;
  readonly parkedAt: Date | null;
  readonly lastActivityAt: Date | null;
}

/** The view of one drain, under its fence. */
export interface DrainNote extends DrainView {
  readonly tenantId: TenantId;
  readonly fence: number;
}

/** Writes the views of many drains at once, every few seconds. Returns the tenants whose drain has a successor: of those nothing was written. */
export async function noteDrains(db: Queryable, notes: readonly DrainNote[]): Promise<readonly TenantId[]> {
  const { rows } = await db.query<{ tenantId: TenantId }>(
    `UPDATE drains SET last_activity_at = note.last_activity_at, queue_empty_at = coalesce(note.queue_empty_at, drains.queue_empty_at),
       quota = coalesce(note.quota, drains.quota),
       problem_code = CASE note.problem_code WHEN 'none' THEN NULL WHEN 'unknown' THEN drains.problem_code ELSE note.problem_code END,
       gladly_waiting_since = CASE note.problem_code WHEN 'none' THEN NULL WHEN 'unknown' THEN gladly_waiting_since
         ELSE coalesce(gladly_waiting_since, now()) END
     FROM unnest($1::text[], $2::bigint[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::jsonb[])
       AS note(tenant_id, fence, problem_code, last_activity_at, queue_empty_at, quota)
     WHERE drains.tenant_id = note.tenant_id AND drains.fence = note.fence
     RETURNING drains.tenant_id AS "tenantId"`,
    [
      notes.map(({ tenantId }) => tenantId),
      notes.map(({ fence }) => fence),
      notes.map(({ problemCode }) => problemCode),
      notes.map(({ lastActivityAt }) => lastActivityAt),
      notes.map(({ queueEmptyAt }) => queueEmptyAt),
      notes.map(({ quota }) => quota && jsonbText({ ...quota, at: quota.at.toISOString() })),
    ],
  );
  const noted = new Set(rows.map(({ tenantId }) => tenantId));
  return notes.flatMap(({ tenantId }) => (noted.has(tenantId) ? [] : [tenantId]));
}

/** The drain states of these tenants; one that does not exist is left out. */
export async function drainStates(
  db: Queryable,
  tenantIds: readonly TenantId[],
): Promise<ReadonlyMap<TenantId, DrainState>> {
  const { rows } = await db.query<DrainState>(
    `SELECT tenant_id AS "tenantId", fence, holder, began_at AS "beganAt", parked_at AS "parkedAt",
       last_activity_at AS "lastActivityAt", queue_empty_at AS "queueEmptyAt"
     FROM drains WHERE tenant_id = ANY($1)`,
    [tenantIds],
  );
  return new Map(rows.map((row) => [row.tenantId, row]));
}

/** How much of the organization's quota was in use, in requests a second. A drain notes it (noteDrain in drains.ts). */
export interface QuotaUse {
  /** What Gladly grants, all clients together. */
  readonly limit: number;
  /** What we allowed ourselves; null when the quota is lifted. */
  readonly allowed: number | null;
  readonly used: number;
  /** What other clients of the organization used, at least. */
  readonly rivals: number;
}

export interface NotedQuota extends QuotaUse {
  readonly at: Date;
}

/** What was noted last for each of these tenants, however long ago. One that never was at work is left out. */
export async function quotasOf(
  db: Queryable,
  tenantIds: readonly TenantId[],
): Promise<ReadonlyMap<TenantId, NotedQuota>> {
  const { rows } = await db.query<{ tenantId: TenantId; quota: QuotaUse & { readonly at: string } }>(
    'SELECT tenant_id AS "tenantId", quota FROM drains WHERE tenant_id = ANY($1) AND quota IS NOT NULL',
    [tenantIds],
  );
  return new Map(rows.map(({ tenantId, quota }) => [tenantId, { ...quota, at: new Date(quota.at) }]));
}
