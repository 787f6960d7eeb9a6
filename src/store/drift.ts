import type { TenantId } from '../contracts/tenant.ts';
import type { Queryable } from './db.ts';

/** Something of Gladly's that this code does not know, such as `conversation.newField` or `event TASK/CREATED`. Names only, never values. */
export interface Drift {
  readonly what: string;
  readonly firstAt: Date;
  readonly lastAt: Date;
  readonly count: number;
}

/** A tenant whose Gladly invents names must not fill the table. */
const LONGEST_NAME = 200;

/** Adds up what was seen since the last time. */
export async function recordDrift(
  db: Queryable,
  tenantId: TenantId,
  seen: ReadonlyMap<string, number>,
  at: Date,
): Promise<void> {
  const names = [...seen.keys()].filter((what) => what.length <= LONGEST_NAME).sort();
  if (names.length === 0) return;
  await db.query(
    `INSERT INTO drift AS d (tenant_id, what, first_at, last_at, count)
     SELECT $1, what, $2, $2, count FROM unnest($3::text[], $4::bigint[]) AS seen(what, count)
     ON CONFLICT (tenant_id, what) DO UPDATE SET last_at = excluded.last_at, count = d.count + excluded.count`,
    [tenantId, at, names, names.map((what) => seen.get(what) ?? 0)],
  );
}

/** All that was seen of a tenant, the newest first. */
export async function listDrift(db: Queryable, tenantId: TenantId, limit: number): Promise<readonly Drift[]> {
  const { rows } = await db.query<Drift>(
    `SELECT what, first_at AS "firstAt", last_at AS "lastAt", count FROM drift
     WHERE tenant_id = $1 ORDER BY last_at DESC, what LIMIT $2`,
    [tenantId, limit],
  );
  return rows;
}
