import type { TenantId } from '../contracts/tenant.ts';
import type { Queryable } from './db.ts';
import { addHistograms, histogramOf, percentile } from './histogram.ts';

/** What one process saw of one tenant. Measurements of one minute add up. */
export interface Measurement {
  readonly tenantId: TenantId;
  readonly at: Date;
  /** Events accepted by the webhook endpoint. */
  readonly accepted?: number;
  /** Events extracted. */
  readonly extracted?: number;
  /** Events waiting: the newest number counts. */
  readonly waiting?: number;
  /** Accepted until stored, of each extracted event, in ms. */
  readonly freshnessMs?: readonly number[];
}

export interface MeasuredMinute {
  readonly minute: Date;
  readonly accepted: number;
  readonly extracted: number;
  readonly waiting: number | null;
  /** In ms, at most 41 % too high (histogram.ts); null when nothing was extracted. */
  readonly freshnessP50Ms: number | null;
  readonly freshnessP99Ms: number | null;
}

const MINUTE_MS = 60_000;

/** Adds to what is there. Every few seconds, all tenants at once. */
export async function addMeasurements(db: Queryable, measurements: readonly Measurement[]): Promise<void> {
  const minutes = [...byMinute(measurements).values()];
  if (minutes.length === 0) return;
  await db.query(
    `INSERT INTO measurements AS m (tenant_id, minute, accepted, extracted, waiting, freshness)
     SELECT tenant_id, minute, accepted, extracted, waiting, freshness::integer[]
     FROM unnest($1::text[], $2::timestamptz[], $3::integer[], $4::integer[], $5::integer[], $6::text[])
       AS row(tenant_id, minute, accepted, extracted, waiting, freshness)
     ORDER BY tenant_id, minute
     ON CONFLICT (tenant_id, minute) DO UPDATE SET accepted = m.accepted + excluded.accepted,
       extracted = m.extracted + excluded.extracted, waiting = coalesce(excluded.waiting, m.waiting),
       freshness = CASE WHEN excluded.freshness = '{}' THEN m.freshness ELSE ARRAY(
         SELECT coalesce(old, 0) + coalesce(new, 0)
         FROM unnest(m.freshness, excluded.freshness) WITH ORDINALITY AS bucket(old, new, n) ORDER BY n) END`,
    [
      minutes.map(({ tenantId }) => tenantId),
      minutes.map(({ minute }) => new Date(minute)),
      minutes.map(({ accepted }) => accepted),
      minutes.map(({ extracted }) => extracted),
      minutes.map(({ waiting }) => waiting),
      minutes.map(({ freshness }) => `{${freshness.join(',')}}`),
    ],
  );
}

/** The tenant's minutes from (with) to (without), in order. Minutes in which nothing was measured are left out. */
export async function readMeasurements(
  db: Queryable,
  tenantId: TenantId,
  { from, to }: { readonly from: Date; readonly to: Date },
): Promise<readonly MeasuredMinute[]> {
  const { rows } = await db.query<
    Omit<MeasuredMinute, 'freshnessP50Ms' | 'freshnessP99Ms'> & { freshness: readonly number[] }
  >(
    `SELECT minute, accepted, extracted, waiting, freshness FROM measurements
     WHERE tenant_id = $1 AND minute >= $2 AND minute < $3 ORDER BY minute`,
    [tenantId, from, to],
  );
  return rows.map(({ freshness, ...minute }) => ({
    ...minute,
    freshnessP50Ms: percentile(freshness, 0.5),
    freshnessP99Ms: percentile(freshness, 0.99),
  }));
}

/** Removes up to `limit` minutes before `olderThan`, of all tenants; returns how many. */
export async function trimMeasurements(
  db: Queryable,
  { olderThan, limit }: { readonly olderThan: Date; readonly limit: number },
): Promise<number> {
  const { count } = await db.query(
    `DELETE FROM measurements WHERE (tenant_id, minute) IN (
       SELECT tenant_id, minute FROM measurements WHERE minute < $1 ORDER BY minute LIMIT $2)`,
    [olderThan, limit],
  );
  return count;
}

interface Minute {
  readonly tenantId: TenantId;
  readonly minute: number;
  readonly accepted: number;
  readonly extracted: number;
  readonly waiting: number | null;
  readonly freshness: readonly number[];
}

function byMinute(measurements: readonly Measurement[]): ReadonlyMap<string, Minute> {
  const minutes = new Map<string, Minute>();
  for (const { tenantId, at, accepted = 0, extracted = 0, waiting, freshnessMs = [] } of measurements) {
    const minute = Math.floor(at.getTime() / MINUTE_MS) * MINUTE_MS;
    const before = minutes.get(`${tenantId} ${minute}`);
    const freshness = freshnessMs.length === 0 ? [] : histogramOf(freshnessMs);
    minutes.set(`${tenantId} ${minute}`, {
      tenantId,
      minute,
      accepted: (before?.accepted ?? 0) + accepted,
      extracted: (before?.extracted ?? 0) + extracted,
      waiting: waiting ?? before?.waiting ?? null,
      freshness: addHistograms(before?.freshness ?? [], freshness),
    });
  }
  return minutes;
}

/** What was measured of a tenant over some time. */
export interface Recent {
  readonly accepted: number;
  readonly extracted: number;
  /** In ms, at most 41 % too high (histogram.ts); null when nothing was extracted. */
  readonly freshnessP50Ms: number | null;
}

/** Measurements of several tenants since that time. A tenant without any is left out. */
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
