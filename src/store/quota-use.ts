import type { TenantId } from '../contracts/tenant.ts';
import type { Queryable } from './db.ts';

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
