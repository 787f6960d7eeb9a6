import type { TenantId } from '../contracts/tenant.ts';
import type { Queryable } from './db.ts';

/** Percent of the retention that the oldest waiting event has used up. */
export type RetentionAlert = 50 | 80 | 95;

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
