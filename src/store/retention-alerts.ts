import type { TenantId } from '../contracts/tenant.ts';
import type { Queryable } from './db.ts';

/** Percent of the retention that the oldest waiting event has used up. */
export const RETENTION_ALERTS = [50, 80, 95] as const;
export type RetentionAlert = (typeof RETENTION_ALERTS)[number];

/** True when this level had not been raised yet: only then is somebody told. A lower one than the last is none. */
export async function raiseRetentionAlert(db: Queryable, tenantId: TenantId, level: RetentionAlert): Promise<boolean> {
  const { count } = await db.query(
    'UPDATE tenants SET retention_alert = $2 WHERE tenant_id = $1 AND retention_alert < $2',
    [tenantId, level],
  );
  return count === 1;
}

/** Nothing is about to expire any more. True when an alert was up. */
export async function clearRetentionAlert(db: Queryable, tenantId: TenantId): Promise<boolean> {
  const { count } = await db.query(
    'UPDATE tenants SET retention_alert = 0 WHERE tenant_id = $1 AND retention_alert > 0',
    [tenantId],
  );
  return count === 1;
}

/** Notes the level that the tenant's extraction was told of; 0: that nothing is about to expire. Call it after the telling: what is not noted is told again. */
export async function noteAlertTold(db: Queryable, tenantId: TenantId, level: RetentionAlert | 0): Promise<void> {
  await db.query('UPDATE tenants SET retention_alert_told = $2 WHERE tenant_id = $1', [tenantId, level]);
}

/** How many tenants each level is raised for; a level that is raised for none is left out. */
export async function retentionAlertCounts(db: Queryable): Promise<ReadonlyMap<number, number>> {
  const { rows } = await db.query<{ level: number; tenants: number }>(
    'SELECT retention_alert AS level, count(*) AS tenants FROM tenants WHERE retention_alert > 0 GROUP BY retention_alert',
  );
  return new Map(rows.map(({ level, tenants }) => [level, tenants]));
}
