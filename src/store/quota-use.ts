import type { TenantId } from '../contracts/tenant.ts';
import type { Queryable } from './db.ts';
import { jsonbText } from './values.ts';

/** How much of the organization's quota was in use, in requests a second. */
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

/** Every few seconds. A drain that is not the newest any more changes nothing. */
export async function noteQuota(db: Queryable, tenantId: TenantId, fence: number, quota: NotedQuota): Promise<void> {
  await db.query('UPDATE drains SET quota = $3 WHERE tenant_id = $1 AND fence = $2', [
    tenantId,
    fence,
    jsonbText({ ...quota, at: quota.at.toISOString() }),
  ]);
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
