import type { Db } from './db.ts';

/** Tables whose rows come and go, or are updated all the time. */
const BUSY_TABLES = [
  'pending_conversations',
  'tenant_counters',
  'drains',
  'events',
  'webhook_key_revision',
  'quota_claims',
] as const;

/**
 * Does what autovacuum does, for a Postgres that has none (PGlite): without it, the work queue's index fills with the remains of what was
 * done, and each pick walks over them. Cheap when there is little to do; every few minutes is enough.
 */
export async function vacuum(db: Db): Promise<void> {
  for (const table of BUSY_TABLES) await db.query(`VACUUM (ANALYZE) ${table}`);
}
