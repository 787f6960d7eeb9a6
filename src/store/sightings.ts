import type { TenantId } from '../contracts/tenant.ts';
import type { Queryable } from './db.ts';
import { storableText } from './values.ts';

/** Deliveries of one kind, with one key; those that were refused have no key id. */
export interface Sighting {
  readonly tenantId: TenantId;
  /** `PING`, or an event's type. It is Gladly's word: let the caller fold what is unknown, so that there are not more and more of them. */
  readonly type: string;
  readonly keyId: string;
  readonly firstAt: Date;
  readonly lastAt: Date;
  readonly count: number;
}

/** What sightings are told apart by. */
export type SightingKey = Pick<Sighting, 'tenantId' | 'type' | 'keyId'>;

/**
 * Adds what was seen since the last time: call it every second or so, never once a request. Returns those that were not stored before, so
 * each is returned once, by whichever process was first. In a transaction that is certain only after the commit.
 */
export async function recordSightings(db: Queryable, seen: readonly Sighting[]): Promise<readonly SightingKey[]> {
  if (seen.length === 0) return [];
  // xmax is 0 in a row that this statement inserted, and names this transaction in one that it updated.
  const { rows } = await db.query<SightingKey & { readonly isNew: boolean }>(
    `INSERT INTO sightings AS s (tenant_id, type, key_id, first_at, last_at, count)
     SELECT tenant_id, type, key_id, min(first_at), max(last_at), sum(count)
     FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::bigint[])
       AS row(tenant_id, type, key_id, first_at, last_at, count)
     GROUP BY tenant_id, type, key_id ORDER BY tenant_id, type, key_id
     ON CONFLICT (tenant_id, type, key_id) DO UPDATE SET first_at = least(s.first_at, excluded.first_at),
       last_at = greatest(s.last_at, excluded.last_at), count = s.count + excluded.count
     RETURNING tenant_id AS "tenantId", type, key_id AS "keyId", xmax = 0 AS "isNew"`,
    [
      seen.map(({ tenantId }) => tenantId),
      seen.map(({ type }) => storableText(type)),
      seen.map(({ keyId }) => keyId),
      seen.map(({ firstAt }) => firstAt),
      seen.map(({ lastAt }) => lastAt),
      seen.map(({ count }) => count),
    ],
  );
  return rows.flatMap(({ isNew, ...key }) => (isNew ? [key] : []));
}

/** All sightings of a tenant, by type. */
export async function listSightings(db: Queryable, tenantId: TenantId): Promise<readonly Sighting[]> {
  const { rows } = await db.query<Sighting>(
    `SELECT tenant_id AS "tenantId", type, key_id AS "keyId", first_at AS "firstAt", last_at AS "lastAt", count
     FROM sightings WHERE tenant_id = $1 ORDER BY type, first_at`,
    [tenantId],
  );
  return rows;
}

/** When each tenant last sent anything with a right key, a PING included. One that never did is left out. */
export async function lastSeenOf(db: Queryable, tenantIds: readonly TenantId[]): Promise<ReadonlyMap<TenantId, Date>> {
  const { rows } = await db.query<{ tenantId: TenantId; lastAt: Date }>(
    `SELECT tenant_id AS "tenantId", max(last_at) AS "lastAt" FROM sightings
     WHERE tenant_id = ANY($1) AND key_id <> '' GROUP BY tenant_id`,
    [tenantIds],
  );
  return new Map(rows.map(({ tenantId, lastAt }) => [tenantId, lastAt]));
}
