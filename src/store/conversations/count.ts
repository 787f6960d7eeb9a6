import type { TenantId } from '../../contracts/tenant.ts';
import type { Db } from '../db.ts';

/** How many conversations of a tenant are stored, counted no further than `most`: enough to show that they arrive. */
export async function countConversations(db: Db, tenantId: TenantId, most: number): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    'SELECT count(*)::integer AS count FROM (SELECT FROM conversations WHERE tenant_id = $1 LIMIT $2) AS counted',
    [tenantId, most],
  );
  return rows[0]?.count ?? 0;
}
