import { type Problem, problem } from '../contracts/problems.ts';
import type { TenantId } from '../contracts/tenant.ts';
import type { Db } from '../store/db.ts';
import { standstillOf } from '../store/ledger/standstill.ts';
import { readMeasurements } from '../store/measurements.ts';
import { type FindingsChange, putFindings, readFindings } from '../store/tenant-states.ts';
import { isOfProgress, OF_PROGRESS } from './finding-kinds.ts';
import { placed } from './projection.ts';

/**
 * Waiting for longer without anything being extracted is a standstill. It is told of within two minutes: a drain looks every 20 s (PROGRESS_MS in
 * activities/drain/limits.ts).
 */
const STALLED_MS = 95_000;

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
  const found = await standstillOf(db, tenantId, { putOffMs: STALLED_MS });
  const { failing, failingIds, putOff, putOffIds, oldestDueMs } = found;
  const failed: readonly Problem[] = [
    ...(failing > 0
      ? [
          problem('conversations_failing', {
            count: failing,
            reason: found.reason ?? 'unknown',
            ids: named(failingIds, failing),
          }),
        ]
      : []),
    ...(putOff > 0
      ? [
          problem('conversations_put_off', {
            count: putOff,
            reason: found.putOffReason ?? 'unknown',
            ids: named(putOffIds, putOff),
          }),
        ]
      : []),
  ];
  if (oldestDueMs === null || oldestDueMs < STALLED_MS) return failed;
  const minutes = await readMeasurements(db, tenantId, { from: new Date(now.getTime() - STALLED_MS), to: now });
  if (minutes.some(({ extracted }) => extracted > 0)) return failed;
  const waited = { minutes: Math.max(1, Math.floor(oldestDueMs / 60_000)) };
  return [...failed, starved ? problem('quota_starved', waited) : problem('events_stalled', waited)];
}

const named = (ids: readonly string[], of: number): string =>
  `${ids.join(', ')}${of > ids.length ? ' and others' : ''}`;
