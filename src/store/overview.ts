import type { TenantId } from '../contracts/tenant.ts';
import type { Queryable } from './db.ts';
import { addHistograms, percentile } from './histogram.ts';

/** What was measured of a tenant over some time. */
export interface Recent {
  readonly accepted: number;
  readonly extracted: number;
  /** In ms, at most 41 % too high (histogram.ts); null when nothing was extracted. */
  readonly freshnessP50Ms: number | null;
}

/** Of many tenants at once, since then. A tenant of which nothing was measured is left out. */
export async function recentOf(
  db: Queryable,
  tenantIds: readonly TenantId[],
  since: Date,
): Promise<ReadonlyMap<TenantId, Recent>> {
  const { rows } = await db.query<{
    tenantId: TenantId;
    accepted: number;
    extracted: number;
    freshness: readonly number[];
  }>(
    `SELECT tenant_id AS "tenantId", accepted, extracted, freshness FROM measurements
     WHERE tenant_id = ANY($1) AND minute >= $2`,
    [tenantIds, since],
  );
  const sums = new Map<TenantId, { accepted: number; extracted: number; freshness: readonly number[] }>();
  for (const { tenantId, accepted, extracted, freshness } of rows) {
    const before = sums.get(tenantId) ?? { accepted: 0, extracted: 0, freshness: [] };
    sums.set(tenantId, {
      accepted: before.accepted + accepted,
      extracted: before.extracted + extracted,
      freshness: addHistograms(before.freshness, freshness),
    });
  }
  return new Map(
    [...sums].map(([tenantId, { freshness, ...sum }]) => [
      tenantId,
      { ...sum, freshnessP50Ms: percentile(freshness, 0.5) },
    ]),
  );
}

/** Conversations that are to be read. */
export async function pendingConversations(db: Queryable, tenantId: TenantId): Promise<number> {
  const { rows } = await db.query<{ pending: number }>(
    'SELECT count(*) AS pending FROM pending_conversations WHERE tenant_id = $1',
    [tenantId],
  );
  return rows[0]?.pending ?? 0;
}

/** What was measured in one step of time. */
export interface MeasuredStep {
  readonly at: Date;
  readonly accepted: number;
  readonly extracted: number;
  /** The newest number of the step; null when none was noted. */
  readonly waiting: number | null;
  /** In ms, at most 41 % too high (histogram.ts); null when nothing was extracted. */
  readonly freshnessP50Ms: number | null;
  readonly freshnessP99Ms: number | null;
}

/** A tenant's measurements since then in steps of so long, in order; steps in which nothing was measured are left out. */
export async function measuredSteps(
  db: Queryable,
  tenantId: TenantId,
  { since, stepMs }: { readonly since: Date; readonly stepMs: number },
): Promise<readonly MeasuredStep[]> {
  const { rows } = await db.query<{
    minute: Date;
    accepted: number;
    extracted: number;
    waiting: number | null;
    freshness: readonly number[];
  }>(
    `SELECT minute, accepted, extracted, waiting, freshness FROM measurements
     WHERE tenant_id = $1 AND minute >= $2 ORDER BY minute`,
    [tenantId, since],
  );
  const steps = Map.groupBy(rows, ({ minute }) => Math.floor(minute.getTime() / stepMs) * stepMs);
  return [...steps].map(([at, minutes]) => {
    const freshness = minutes.reduce<readonly number[]>((all, minute) => addHistograms(all, minute.freshness), []);
    return {
      at: new Date(at),
      accepted: minutes.reduce((sum, { accepted }) => sum + accepted, 0),
      extracted: minutes.reduce((sum, { extracted }) => sum + extracted, 0),
      waiting: minutes.findLast(({ waiting }) => waiting !== null)?.waiting ?? null,
      freshnessP50Ms: percentile(freshness, 0.5),
      freshnessP99Ms: percentile(freshness, 0.99),
    };
  });
}
