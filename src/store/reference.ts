import type { TenantId } from '../contracts/tenant.ts';
import type { Db, Queryable } from './db.ts';
import { jsonbText, storableText } from './values.ts';

export type ReferenceKind = 'agents' | 'inboxes' | 'teams' | 'topics';

export interface ReferenceEntry {
  readonly id: string;
  readonly name?: string | undefined;
  readonly raw: unknown;
}

export interface ReferenceList {
  readonly fetchedAt: Date;
  /** By id. Also those that Gladly lists no more: older conversations still name them. */
  readonly entries: readonly (ReferenceEntry & { readonly listed: boolean })[];
}

/** Stores what Gladly lists of one kind at this time. An older list never overwrites a newer one. */
export async function putReference(
  db: Db,
  tenantId: TenantId,
  kind: ReferenceKind,
  entries: readonly ReferenceEntry[],
  fetchedAt: Date,
): Promise<void> {
  const unique = [...new Map(entries.map((entry) => [entry.id, entry])).values()];
  await db.transaction(async (tx) => {
    const { count } = await tx.query(
      `INSERT INTO reference_fetches AS f (tenant_id, kind, fetched_at) VALUES ($1, $2, $3)
       ON CONFLICT (tenant_id, kind) DO UPDATE SET fetched_at = excluded.fetched_at WHERE f.fetched_at <= excluded.fetched_at`,
      [tenantId, kind, fetchedAt],
    );
    if (count === 0 || unique.length === 0) return;
    await tx.query(
      `INSERT INTO reference_entries (tenant_id, kind, entry_id, name, raw, fetched_at)
       SELECT $1, $2, id, name, raw::jsonb, $3 FROM unnest($4::text[], $5::text[], $6::text[]) AS entry(id, name, raw)
       ON CONFLICT (tenant_id, kind, entry_id) DO UPDATE SET name = excluded.name, raw = excluded.raw, fetched_at = excluded.fetched_at`,
      [
        tenantId,
        kind,
        fetchedAt,
        unique.map(({ id }) => id),
        unique.map(({ name }) => storableText(name)),
        unique.map(({ raw }) => jsonbText(raw)),
      ],
    );
  });
}

/** Null when this kind was never listed. */
export async function getReference(
  db: Queryable,
  tenantId: TenantId,
  kind: ReferenceKind,
): Promise<ReferenceList | null> {
  const { rows } = await db.query<{
    fetchedAt: Date;
    id: string | null;
    name: string | null;
    raw: unknown;
    listed: boolean;
  }>(
    `SELECT f.fetched_at AS "fetchedAt", e.entry_id AS id, e.name, e.raw, e.fetched_at = f.fetched_at AS listed
     FROM reference_fetches f LEFT JOIN reference_entries e USING (tenant_id, kind)
     WHERE f.tenant_id = $1 AND f.kind = $2 ORDER BY e.entry_id`,
    [tenantId, kind],
  );
  const first = rows[0];
  if (first === undefined) return null;
  const entries = rows.flatMap(({ id, name, raw, listed }) =>
    id === null ? [] : [{ id, ...(name === null ? {} : { name }), raw, listed }],
  );
  return { fetchedAt: first.fetchedAt, entries };
}
