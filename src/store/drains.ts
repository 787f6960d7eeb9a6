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
 * Begins a drain: from now on only the returned fence may write, and the tenant is not parked. Waits for transactions that a drain
 * before has open. Throws UnknownTenantError.
 */
export async function beginDrain(db: Queryable, tenantId: TenantId, holder: string): Promise<number> {
  const { rows } = await db.query<{ fence: number }>(
    `UPDATE drains SET fence = fence + 1, holder = $2, began_at = now(), last_activity_at = now(), parked_at = NULL
     WHERE tenant_id = $1 RETURNING fence`,
    [tenantId, holder],
  );
  const fence = rows[0]?.fence;
  if (fence === undefined) throw new UnknownTenantError(tenantId);
  return fence;
}

/** Milliseconds since Gladly last answered this tenant as it should, by Postgres's clock; null while it does. */
export async function troubledForMs(db: Queryable, tenantId: TenantId): Promise<number | null> {
  const { rows } = await db.query<{ ms: number | null }>(
    'SELECT (extract(epoch FROM now() - gladly_waiting_since) * 1000)::float8 AS ms FROM drains WHERE tenant_id = $1',
    [tenantId],
  );
  return rows[0]?.ms ?? null;
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

/** Marks the tenant parked. The drain must look at the queue once more after it. Throws StaleDrainError. */
export async function markParked(db: Queryable, tenantId: TenantId, fence: number): Promise<void> {
  const { count } = await db.query('UPDATE drains SET parked_at = now() WHERE tenant_id = $1 AND fence = $2', [
    tenantId,
    fence,
  ]);
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

/** Every few seconds, not for every event. Throws StaleDrainError. */
export async function noteDrain(db: Queryable, tenantId: TenantId, fence: number, view: DrainView): Promise<void> {
  const { count } = await db.query(
    `UPDATE drains SET last_activity_at = $4, queue_empty_at = coalesce($5, queue_empty_at), quota = coalesce($6, quota),
       problem_code = CASE $3 WHEN 'none' THEN NULL WHEN 'unknown' THEN problem_code ELSE $3 END,
       gladly_waiting_since = CASE $3 WHEN 'none' THEN NULL WHEN 'unknown' THEN gladly_waiting_since
         ELSE coalesce(gladly_waiting_since, now()) END
     WHERE tenant_id = $1 AND fence = $2`,
    [
      tenantId,
      fence,
      view.problemCode,
      view.lastActivityAt,
      view.queueEmptyAt,
      view.quota && jsonbText({ ...view.quota, at: view.quota.at.toISOString() }),
    ],
  );
  if (count === 0) throw new StaleDrainError(tenantId);
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
