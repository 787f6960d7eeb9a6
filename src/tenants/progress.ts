import { type Problem, problem } from '../contracts/problems.ts';
import type { TenantId } from '../contracts/tenant.ts';
import type { Db } from '../store/db.ts';
import { standstillOf } from '../store/ledger/standstill.ts';
import { readMeasurements } from '../store/measurements.ts';
import { type FindingsChange, putFindings, readFindings } from '../store/tenant-states.ts';
import { isOfProgress, OF_PROGRESS } from './finding-kinds.ts';
import { placed } from './projection.ts';

/** Waiting for longer without anything being extracted is a standstill. */
const STALLED_MS = 120_000;

/**
 * Writes down whether the tenant's events go on. `isRunning`: extraction is neither paused nor kept from its work by a problem of its own, which would
 * explain it. `starved`: Gladly refused requests for want of quota. `change` is null when nothing changed; `found`: how many problems stand.
 */
export async function recordProgress(
  db: Db,
  tenantId: TenantId,
  { isRunning, starved, now }: { readonly isRunning: boolean; readonly starved: boolean; readonly now: Date },
): Promise<{ readonly change: FindingsChange | null; readonly found: number }> {
  const found = isRunning ? await standstill(db, tenantId, starved, now) : [];
  // Nearly always: nothing is to be written, and no transaction is needed.
  if (found.length === 0 && !(await readFindings(db, tenantId)).some(isOfProgress)) return { change: null, found: 0 };
  const change = await placed(db, tenantId, (tx) => putFindings(tx, tenantId, OF_PROGRESS, found));
  return { change, found: found.length };
}

async function standstill(db: Db, tenantId: TenantId, starved: boolean, now: Date): Promise<readonly Problem[]> {
  const { failing, failingIds, reason, oldestDueMs } = await standstillOf(db, tenantId);
  const ids = `${failingIds.join(', ')}${failing > failingIds.length ? ' and others' : ''}`;
  const failed =
    failing > 0 ? [problem('conversations_failing', { count: failing, reason: reason ?? 'unknown', ids })] : [];
  if (oldestDueMs === null || oldestDueMs < STALLED_MS) return failed;
  const minutes = await readMeasurements(db, tenantId, { from: new Date(now.getTime() - STALLED_MS), to: now });
  if (minutes.some(({ extracted }) => extracted > 0)) return failed;
  const waited = { minutes: Math.floor(oldestDueMs / 60_000) };
  return [...failed, starved ? problem('quota_starved', waited) : problem('events_stalled', waited)];
}
