import type { TenantId } from '../contracts/tenant.ts';
import type { Db } from './db.ts';
import { revokeWebhookKeys } from './webhook-keys.ts';

/** Rows a step: small enough that other transactions wait milliseconds. */
const STEP = 2_000;

/** In this order: without its counters and its drain, nothing can be written for the tenant any more. */
const AT_ONCE = ['tenant_counters', 'drains', 'drain_orders', 'tenant_states', 'credentials'] as const;
const IN_STEPS = [
  'pending_conversations',
  'events',
  'customer_merges',
  'items',
  'conversations',
  'reference_entries',
  'reference_fetches',
  'sightings',
  'measurements',
  'actions',
  'drift',
] as const;

/**
 * Removes all that is stored of a tenant, in short transactions; the tenant's own row goes last, so a removal that is cut off can be
 * called again. Its webhook keys stay as revoked hashes, so that API processes learn of it. False when there was no such tenant.
 */
export async function removeTenant(db: Db, tenantId: TenantId): Promise<boolean> {
  await revokeWebhookKeys(db, tenantId);
  for (const table of AT_ONCE) await db.query(`DELETE FROM ${table} WHERE tenant_id = $1`, [tenantId]);
  for (const table of IN_STEPS) {
    while ((await removeStep(db, table, tenantId)) === STEP);
  }
  const { count } = await db.query('DELETE FROM tenants WHERE tenant_id = $1', [tenantId]);
  return count === 1;
}

async function removeStep(db: Db, table: (typeof IN_STEPS)[number], tenantId: TenantId): Promise<number> {
  const { count } = await db.query(
    `DELETE FROM ${table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM ${table} WHERE tenant_id = $1 LIMIT ${STEP}))`,
    [tenantId],
  );
  return count;
}
