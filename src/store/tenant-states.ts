import type { ExtractionView } from '../contracts/extraction.ts';
import type { OnboardingStatus } from '../contracts/onboarding.ts';
import type { Problem } from '../contracts/problems.ts';
import type { KnownBefore, Projection } from '../contracts/projection.ts';
import type { TenantId } from '../contracts/tenant.ts';
import type { Queryable, Tx } from './db.ts';
import { TENANT_COLUMNS, type Tenant } from './tenants.ts';
import { jsonbText, storableText } from './values.ts';

/** What a tenant's two workflows last wrote of themselves. Only src/tenants writes it; it keeps the place in the list right. */
export interface TenantState {
  /** Null until the workflow has written it. */
  readonly onboarding: OnboardingStatus | null;
  readonly onboardingAt: Date | null;
  readonly extraction: ExtractionView | null;
  readonly extractionAt: Date | null;
  /** What each of them keeps to, as it last said. */
  readonly onboardingTuning: object | null;
  readonly extractionTuning: object | null;
}

/** Where a tenant stands in the list; compared in this order. */
export interface Place {
  /** Index into GROUPS (src/tenants/standing.ts). */
  readonly need: number;
  /** Percent of the retention that is used up: 0, 50, 80 or 95. The highest comes first. */
  readonly urgency: number;
  /** When the first event would be lost; null comes last. */
  readonly losesAt: Date | null;
}

/** All that a place follows from. */
export interface PlaceFacts extends TenantState {
  readonly tenant: Tenant;
  /** What the sweep or a drain found wrong with its queue or ledger, each with since when. */
  readonly findings: readonly Problem[];
  /** When the queue was last seen empty; null: never. */
  readonly queueEmptyAt: Date | null;
  /** When the webhook was last called without a right key; null when a delivery with a right one came since. */
  readonly keyRefusedAt: Date | null;
}

/** When a tenant's webhook was last called with a key of its own, and without one; null: not since the last time. */
export interface KeySeen {
  readonly tenantId: TenantId;
  readonly rightAt: Date | null;
  readonly wrongAt: Date | null;
}

const STATE_COLUMNS = `s.onboarding, s.onboarding_at AS "onboardingAt", s.extraction, s.extraction_at AS "extractionAt",
  s.onboarding_tuning AS "onboardingTuning", s.extraction_tuning AS "extractionTuning", s.findings,
  s.key_refused_at AS "keyRefusedAt"`;

/** What became of a write: `written` is false when a newer one of the same workflow is there already, or the tenant is not. */
export interface Put<V> extends KnownBefore<V> {
  readonly written: boolean;
}

export async function putOnboarding(tx: Tx, projection: Projection<OnboardingStatus>): Promise<Put<OnboardingStatus>> {
  return await put(tx, 'onboarding', projection);
}

export async function putExtraction(tx: Tx, projection: Projection<ExtractionView>): Promise<Put<ExtractionView>> {
  return await put(tx, 'extraction', projection);
}

/** How many replaced runs of a workflow are remembered: a late write of theirs comes within seconds. */
const PAST_RUNS = 5;

async function put<V extends object>(
  tx: Tx,
  name: 'onboarding' | 'extraction',
  { tenantId, runId, seq, view, tuning, isTold = false }: Projection<V>,
): Promise<Put<V>> {
  const { count } = await tx.query(
    `UPDATE tenant_states SET ${name} = $2, ${name}_run = $3, ${name}_seq = $4, ${name}_at = now(), ${name}_tuning = $5,
       ${name}_before = CASE WHEN ${name}_run = $3 THEN ${name}_before ELSE ${name} END,
       ${name}_past_runs = CASE WHEN ${name}_run = $3 OR ${name}_run IS NULL THEN ${name}_past_runs
         ELSE (${name}_past_runs || ${name}_run)[greatest(1, cardinality(${name}_past_runs) + 2 - ${PAST_RUNS}):] END
     WHERE tenant_id = $1 AND $3 <> ALL(${name}_past_runs) AND (${name}_run IS DISTINCT FROM $3 OR ${name}_seq < $4)`,
    [tenantId, jsonbText(view), runId, seq, jsonbText(tuning)],
  );
  if (isTold) return { written: count === 1, before: null };
  // Also for a write that is repeated, since nobody may have got its answer.
  const { rows } = await tx.query<{ before: V | null }>(
    `SELECT ${name}_before AS before FROM tenant_states WHERE tenant_id = $1 AND ${name}_run = $2`,
    [tenantId, runId],
  );
  return { written: count === 1, before: rows[0]?.before ?? null };
}

/** What became of a tenant's findings. */
export interface FindingsChange {
  readonly raised: readonly Problem[];
  /** Codes of those that are over. */
  readonly withdrawn: readonly Problem['code'][];
}

/**
 * Replaces those findings of a tenant that have one of these codes; one that was there already keeps its since. Null when nothing changed, or
 * there is no such tenant.
 */
export async function putFindings(
  tx: Tx,
  tenantId: TenantId,
  codes: readonly Problem['code'][],
  found: readonly Problem[],
): Promise<FindingsChange | null> {
  const { rows } = await tx.query<{ findings: readonly Problem[]; now: Date }>(
    'SELECT findings, now() FROM tenant_states WHERE tenant_id = $1 FOR UPDATE',
    [tenantId],
  );
  const [row] = rows;
  if (row === undefined) return null;
  const before = new Map(row.findings.map((one) => [one.code, one]));
  const fresh = found.map((one) => ({ ...one, since: before.get(one.code)?.since ?? row.now.toISOString() }));
  const after = [...row.findings.filter(({ code }) => !codes.includes(code)), ...fresh];
  const isKnown = (one: Problem): boolean => {
    const known = before.get(one.code);
    return known !== undefined && JSON.stringify(sorted(known.params)) === JSON.stringify(sorted(one.params));
  };
  if (after.length === row.findings.length && fresh.every(isKnown)) return null;
  await tx.query('UPDATE tenant_states SET findings = $2 WHERE tenant_id = $1', [tenantId, jsonbText(after)]);
  return {
    raised: fresh.filter(({ code }) => !before.has(code)),
    withdrawn: codes.filter((code) => before.has(code) && !fresh.some((one) => one.code === code)),
  };
}

/** Empty when there is no such tenant. */
export async function readFindings(db: Queryable, tenantId: TenantId): Promise<readonly Problem[]> {
  const { rows } = await db.query<{ findings: readonly Problem[] }>(
    'SELECT findings FROM tenant_states WHERE tenant_id = $1',
    [tenantId],
  );
  return rows[0]?.findings ?? [];
}

/** jsonb orders keys in its own way. */
const sorted = (params: Problem['params']) => Object.entries(params).sort(([one], [other]) => (one < other ? -1 : 1));

/** How many tenants have each finding; one that no tenant has is left out. */
export async function countFindings(db: Queryable): Promise<ReadonlyMap<string, number>> {
  const { rows } = await db.query<{ code: string; tenants: number }>(
    `SELECT finding->>'code' AS code, count(*) AS tenants
     FROM tenant_states, jsonb_array_elements(findings) AS finding WHERE findings <> '[]' GROUP BY 1`,
  );
  return new Map(rows.map(({ code, tenants }) => [code, tenants]));
}

/**
 * Notes which webhooks are called with a wrong key. Returns the tenants for which it is otherwise than before: `refused` since now, or not any
 * more. One statement while all keys are right; one more for each tenant whose key is not.
 */
export async function putKeysSeen(
  db: Queryable,
  seen: readonly KeySeen[],
): Promise<readonly { readonly tenantId: TenantId; readonly refused: boolean }[]> {
  const changed: { readonly tenantId: TenantId; readonly refused: boolean }[] = [];
  const { rows } = await db.query<{ tenantId: TenantId }>(
    `SELECT tenant_id AS "tenantId" FROM tenant_states WHERE tenant_id = ANY($1) AND key_refused_at IS NOT NULL`,
    [seen.map(({ tenantId }) => tenantId)],
  );
  const refused = new Set(rows.map(({ tenantId }) => tenantId));
  // In one order, so that two processes never wait for each other.
  for (const { tenantId, rightAt, wrongAt } of [...seen].sort((a, b) => (a.tenantId < b.tenantId ? -1 : 1))) {
    const isWrong = wrongAt !== null && (rightAt === null || rightAt < wrongAt);
    if (isWrong && (await putRefused(db, tenantId, wrongAt)) && !refused.has(tenantId)) {
      changed.push({ tenantId, refused: true });
    }
    if (!isWrong && rightAt !== null && refused.has(tenantId) && (await clearRefused(db, tenantId, rightAt))) {
      changed.push({ tenantId, refused: false });
    }
  }
  return changed;
}

/** False when a right key was seen since: another process may have. */
async function putRefused(db: Queryable, tenantId: TenantId, at: Date): Promise<boolean> {
  const { count } = await db.query(
    `UPDATE tenant_states SET key_refused_at = greatest(key_refused_at, $2) WHERE tenant_id = $1 AND NOT EXISTS (
       SELECT FROM sightings WHERE tenant_id = $1 AND key_id <> '' AND last_at >= $2)`,
    [tenantId, at],
  );
  return count === 1;
}

/** False when a wrong key was seen since, or another process has cleared it. */
async function clearRefused(db: Queryable, tenantId: TenantId, rightAt: Date): Promise<boolean> {
  const { count } = await db.query(
    'UPDATE tenant_states SET key_refused_at = NULL WHERE tenant_id = $1 AND key_refused_at <= $2',
    [tenantId, rightAt],
  );
  return count === 1;
}

/** How many connected tenants have a webhook that is called with a wrong key. */
export async function countKeysRefused(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ tenants: number }>(
    `SELECT count(*) AS tenants FROM tenant_states s JOIN tenants t USING (tenant_id)
     WHERE s.key_refused_at IS NOT NULL AND t.state = 'connected'`,
  );
  return rows[0]?.tenants ?? 0;
}

/** Works out the tenant's place anew, from what is stored now. Locks the row, so that two changes at once end with the right place. */
export async function updatePlace(tx: Tx, tenantId: TenantId, placeOf: (facts: PlaceFacts) => Place): Promise<void> {
  await tx.query('SELECT FROM tenant_states WHERE tenant_id = $1 FOR UPDATE', [tenantId]);
  const [facts] = await readFacts(tx, 'WHERE s.tenant_id = $1', [tenantId]);
  if (facts === undefined) return;
  const { need, urgency, losesAt } = placeOf(facts);
  await tx.query(
    `UPDATE tenant_states SET need = $2, urgency = $3, loses_at = $4
     WHERE tenant_id = $1 AND (need, urgency, loses_at) IS DISTINCT FROM ($2::smallint, $3::smallint, $4::timestamptz)`,
    [tenantId, need, urgency, losesAt],
  );
}

/** Null when there is no such tenant. */
export async function readTenantFacts(db: Queryable, tenantId: TenantId): Promise<PlaceFacts | null> {
  return (await readFacts(db, 'WHERE s.tenant_id = $1', [tenantId]))[0] ?? null;
}

export interface ListQuery {
  /** Part of the id or the name, capitals or not; the empty text finds all. */
  readonly search: string;
  /** Only tenants with this need; null: all. */
  readonly need: number | null;
}

/** A page of the list, what needs a person first comes first. One walk along the index tenant_states_by_need; a search looks at every tenant. */
export async function tenantsByNeed(
  db: Queryable,
  { search, need }: ListQuery,
  { offset, limit }: { readonly offset: number; readonly limit: number },
): Promise<readonly PlaceFacts[]> {
  const wanted = storableText(search) ?? '';
  const conditions = [...(need === null ? [] : [`s.need = ${Math.trunc(need)}`]), ...(wanted === '' ? [] : [MATCHES])];
  return await readFacts(
    db,
    `${conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`}
     ORDER BY s.need, s.urgency DESC, s.loses_at, s.tenant_id OFFSET $1 LIMIT $2`,
    wanted === '' ? [offset, limit] : [offset, limit, wanted],
  );
}

const MATCHES = `(strpos(t.tenant_id, lower($3)) > 0 OR strpos(lower(t.name), lower($3)) > 0)`;

/** A page of tenants by id. `after` is the last one of the page before; the empty text begins. */
export async function tenantsById(
  db: Queryable,
  { after, limit, search }: { readonly after: TenantId; readonly limit: number; readonly search: string },
): Promise<readonly PlaceFacts[]> {
  return await readFacts(db, `WHERE s.tenant_id > $1 AND ($3 = '' OR ${MATCHES}) ORDER BY s.tenant_id LIMIT $2`, [
    after,
    limit,
    storableText(search),
  ]);
}

/** How many tenants have each need; one that no tenant has is left out. */
export async function countByNeed(db: Queryable, search: string): Promise<ReadonlyMap<number, number>> {
  const wanted = storableText(search) ?? '';
  const from =
    wanted === ''
      ? 'FROM tenant_states s'
      : `FROM tenant_states s JOIN tenants t USING (tenant_id) WHERE ${MATCHES.replaceAll('$3', '$1')}`;
  const { rows } = await db.query<{ need: number; tenants: number }>(
    `SELECT s.need, count(*) AS tenants ${from} GROUP BY s.need`,
    wanted === '' ? [] : [wanted],
  );
  return new Map(rows.map(({ need, tenants }) => [need, tenants]));
}

type FactsRow = Tenant & Omit<PlaceFacts, 'tenant'>;

async function readFacts(
  db: Queryable,
  rest: string,
  params: readonly (string | number | null)[],
): Promise<readonly PlaceFacts[]> {
  const { rows } = await db.query<FactsRow>(
    `SELECT ${TENANT_COLUMNS}, ${STATE_COLUMNS}, d.queue_empty_at AS "queueEmptyAt"
     FROM tenant_states s JOIN tenants t USING (tenant_id) LEFT JOIN drains d USING (tenant_id) ${rest}`,
    params,
  );
  return rows.map((row) => {
    const { onboarding, onboardingAt, onboardingTuning, extraction, extractionAt, extractionTuning, ...others } = row;
    const { findings, queueEmptyAt, keyRefusedAt, ...tenant } = others;
    const workflows = { onboarding, onboardingAt, onboardingTuning, extraction, extractionAt, extractionTuning };
    return { ...workflows, findings, queueEmptyAt, keyRefusedAt, tenant };
  });
}
