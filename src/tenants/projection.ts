import type { ExtractionView } from '../contracts/extraction.ts';
import type { OnboardingStatus } from '../contracts/onboarding.ts';
import type { KnownBefore, Projection } from '../contracts/projection.ts';
import type { TenantId } from '../contracts/tenant.ts';
import type { Db, Tx } from '../store/db.ts';
import { clearRetentionAlert, type RetentionAlert, raiseRetentionAlert } from '../store/retention-alerts.ts';
import {
  type KeySeen,
  type Put,
  putExtraction,
  putKeysSeen,
  putOnboarding,
  updatePlace,
} from '../store/tenant-states.ts';
import { type Tenant, type TenantChange, updateTenant } from '../store/tenants.ts';
import { placeOf } from './standing.ts';

/*
 * Everything that changes how a tenant stands goes through here: its two workflows, its connection, its retention. Each change and the place in
 * the list that follows from it are one transaction.
 */

/** The onboarding workflow tells what a person is to see. A write that is older than what is there changes nothing. Answers what an earlier run had written last. */
export async function recordOnboarding(
  db: Db,
  projection: Projection<OnboardingStatus>,
): Promise<KnownBefore<OnboardingStatus>> {
  return await recorded(db, projection.tenantId, (tx) => putOnboarding(tx, projection));
}

/** The extraction workflow tells what a person is to see. A write that is older than what is there changes nothing. Answers what an earlier run had written last. */
export async function recordExtraction(
  db: Db,
  projection: Projection<ExtractionView>,
): Promise<KnownBefore<ExtractionView>> {
  return await recorded(db, projection.tenantId, (tx) => putExtraction(tx, projection));
}

async function recorded<V>(db: Db, tenantId: TenantId, put: (tx: Tx) => Promise<Put<V>>): Promise<KnownBefore<V>> {
  return await db.transaction(async (tx) => {
    const { written, before } = await put(tx);
    if (written) await updatePlace(tx, tenantId, placeOf);
    return { before };
  });
}

/** Changes a tenant's own row. Returns it as it is then; null when there is no such tenant. */
export async function changeTenant(db: Db, tenantId: TenantId, change: TenantChange): Promise<Tenant | null> {
  return await placed(db, tenantId, (tx) => updateTenant(tx, tenantId, change));
}

/** True when this level had not been raised yet. */
export async function raiseAlert(db: Db, tenantId: TenantId, level: RetentionAlert): Promise<boolean> {
  return await placed(db, tenantId, (tx) => raiseRetentionAlert(tx, tenantId, level));
}

/** True when an alert was up. */
export async function clearAlert(db: Db, tenantId: TenantId): Promise<boolean> {
  return await placed(db, tenantId, (tx) => clearRetentionAlert(tx, tenantId));
}

/**
 * Deliveries came with a right key, or without one. Returns the tenants whose webhook is called with a wrong key since now. Safe to call again
 * with the same.
 */
export async function recordKeysSeen(db: Db, seen: readonly KeySeen[]): Promise<readonly TenantId[]> {
  return await db.transaction(async (tx) => {
    const changed = await putKeysSeen(tx, seen);
    for (const { tenantId } of changed) await updatePlace(tx, tenantId, placeOf);
    return changed.flatMap(({ tenantId, refused }) => (refused ? [tenantId] : []));
  });
}

/** Runs a change of what a tenant's place follows from. Where it changed something (the answer is neither null nor false), the place is worked out anew. */
export async function placed<T>(db: Db, tenantId: TenantId, change: (tx: Tx) => Promise<T>): Promise<T> {
  return await db.transaction(async (tx) => {
    const result = await change(tx);
    if (result) await updatePlace(tx, tenantId, placeOf);
    return result;
  });
}
