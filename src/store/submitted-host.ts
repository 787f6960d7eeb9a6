import type { TenantId } from '../contracts/tenant.ts';
import type { Db } from './db.ts';

/** The host of the newest credentials, found or not; null before any were given. It is no secret, so nothing has to be decrypted for it. */
export async function submittedHost(db: Db, tenantId: TenantId): Promise<string | null> {
  const { rows } = await db.query<{ host: string }>(
    'SELECT host FROM credentials WHERE tenant_id = $1 ORDER BY version DESC LIMIT 1',
    [tenantId],
  );
  return rows[0]?.host ?? null;
}
