import { Context } from '@temporalio/activity';
import { problem } from '../../contracts/problems.ts';
import type { SweepActivities, WatchReport } from '../../contracts/sweep.ts';
import { isNoSuchQueue } from '../../queue/errors.ts';
import { DAY_SECONDS, DEAD_RETENTION_DAYS } from '../../queue/limits.ts';
import { type Depth, type Depths, type Queues, totalOf } from '../../queue/provision.ts';
import { recordAction } from '../../store/actions.ts';
import { clearParked, type DrainState, drainStates, orderDrains } from '../../store/drains.ts';
import { type EventCounts, eventCountsOf } from '../../store/ledger/counters.ts';
import { noteAlertTold } from '../../store/retention-alerts.ts';
import { type PlaceFacts, tenantsById } from '../../store/tenant-states.ts';
import type { Tenant } from '../../store/tenants.ts';
import { noteSweep } from '../../store/workers.ts';
import { isOfProgress, isOfTheQueue, isOfWorkflows, isSetAside, queueFinding } from '../../tenants/finding-kinds.ts';
import { recordQueue, recordSetAside } from '../../tenants/findings.ts';
import { waitsSince } from '../../tenants/loss.ts';
import { mendQueue } from '../../tenants/mend-queue.ts';
import { recordProgress } from '../../tenants/progress.ts';
import { changeTenant, clearAlert, raiseAlert } from '../../tenants/projection.ts';
import { queueProblem } from '../../tenants/queue-problem.ts';
import type { Survey, TenantWorkflows } from '../../tenants/workflows.ts';
import { logFindings } from '../log-findings.ts';
import { type PutRightDeps, putRight } from './put-right.ts';
import { judge, type RiskVerdict } from './retention.ts';

export interface WatchDeps extends PutRightDeps {
  readonly queues: Queues;
  readonly workflows: PutRightDeps['workflows'] & Pick<TenantWorkflows, 'wake' | 'archive' | 'warn'>;
}

const PAGE = 200;

/** Asked for at the same time. A depth takes SQS some milliseconds. */
const AT_ONCE = 10;

/** A drain writes down every minute at least that it is at work: one that has not for so long is not. */
const NOBODY_AT_IT_MS = 150_000;

export function createWatchTenants(deps: WatchDeps): SweepActivities['watchTenants'] {
  return async () => {
    const report = { tenants: 0, woken: 0, raised: 0, cleared: 0, failed: 0 };
    const survey = await deps.workflows.survey().catch((error: unknown) => {
      deps.log.warn({ event: 'sweep.no_survey', err: error }, 'sweep: workflows could not be listed');
      return null;
    });
    for (let after = ''; ; ) {
      const page = await tenantsById(deps.db, { after, limit: PAGE, search: '' });
      const ids = page.map(({ tenant }) => tenant.tenantId);
      const [drains, counts] = await Promise.all([drainStates(deps.db, ids), eventCountsOf(deps.db, ids)]);
      // One that is still being connected may have events already: its webhook can be there before its token is.
      const living = page.filter(({ tenant: { state } }) => state === 'connected' || state === 'connecting');
      for (let i = 0; i < living.length; i += AT_ONCE) {
        Context.current().heartbeat();
        const some = living.slice(i, i + AT_ONCE);
        await Promise.all(
          some.map((facts) => {
            const { tenantId } = facts.tenant;
            return watchOne(deps, facts, survey, drains.get(tenantId), counts.get(tenantId), report);
          }),
        );
      }
      const last = page.at(-1);
      if (page.length < PAGE || !last) {
        await noteSweep(deps.db);
        return report;
      }
      after = last.tenant.tenantId;
    }
  };
}

type Report = { -readonly [Name in keyof WatchReport]: number };

/** Each part by itself: what keeps SQS or Temporal from answering must not keep the rest from being done. */
async function watchOne(
  deps: WatchDeps,
  facts: PlaceFacts,
  survey: Survey | null,
  drain: DrainState | undefined,
  counts: EventCounts | undefined,
  report: Report,
): Promise<void> {
  const { tenant } = facts;
  const { tenantId } = tenant;
  report.tenants += 1;
  let failed = false;
  const part = async <T>(name: string, act: () => Promise<T>): Promise<T | null> => {
    try {
      return await act();
    } catch (error) {
      failed = true;
      deps.log.warn({ event: 'tenant.not_watched', err: error, tenantId, part: name }, 'tenant: could not be watched');
      return null;
    }
  };

  // As the workflow last wrote it, however long ago: one that is wedged or was terminated reads nothing either.
  const isPaused = facts.extraction?.pause != null;
  const isAtIt = drain?.parkedAt != null || idleMs(deps, drain) < NOBODY_AT_IT_MS;
  const isSilent = facts.extraction?.phase === 'running' && !isAtIt;
  if (survey !== null) await part('workflows', () => putRight(deps, facts, survey, isSilent));
  const depths = await part('queue', () => lookAtQueue(deps, facts));
  await part('findings', async () => {
    const setAside = { deadLetters: depths && totalOf(depths.dead), rejected: counts?.rejected ?? 0 };
    // Nearly all tenants: nothing to write, and no transaction.
    if (!setAside.deadLetters && setAside.rejected === 0 && !facts.findings.some(isSetAside)) return;
    logFindings(deps.log, tenantId, await recordSetAside(deps.db, tenantId, setAside));
  });
  if (depths !== null) {
    const inQueue = totalOf(depths.queue);
    if (inQueue === 0) {
      if (await part('alert', () => calm(deps, facts))) report.cleared += 1;
    } else {
      const verdict = judge(
        {
          waitsSince: waitsSince(tenant, facts.queueEmptyAt),
          retentionDays: tenant.retentionDays,
          policy: tenant.retentionPolicy,
          paused: isPaused,
        },
        deps.now(),
      );
      await part('retention', () => extend(deps, tenant, verdict));
      if (await part('alert', () => alarm(deps, facts, verdict))) report.raised += 1;
      if (verdict.archive) await part('archive', () => deps.workflows.archive(tenantId));
    }
  }
  // A drain says so while one runs; what was paused since has another reason. Where none is at work nobody else would tell.
  const isRunning = facts.extraction?.phase === 'running';
  const isDeserted = isRunning && (counts?.waiting ?? 0) > 0 && idleMs(deps, drain) > NOBODY_AT_IT_MS;
  if (isDeserted || (facts.findings.some(isOfProgress) && !isRunning))
    await part('progress', async () => {
      const how = { isRunning, starved: false, now: deps.now() };
      logFindings(deps.log, tenantId, (await recordProgress(deps.db, tenantId, how)).change);
    });
  const waiting = (depths ? totalOf(depths.queue) : 0) + (counts?.waiting ?? 0);
  // Each signal to a workflow that stands still only makes its history longer.
  const mayWake = tenant.state === 'connected' && !isPaused && !facts.findings.some(isOfWorkflows);
  if (mayWake && (await part('wake', () => wakeIfForgotten(deps, tenantId, drain, waiting)))) report.woken += 1;
  if (failed) report.failed += 1;
}

/**
 * What is in the tenant's queues; null when they cannot be used, which is written down. One that does not exist is made anew at the second look
 * that misses it: at the first somebody is told, and AWS would refuse within a minute of the deletion. Rejects when SQS as a whole is out.
 */
async function lookAtQueue(deps: WatchDeps, { tenant, findings }: PlaceFacts): Promise<Depths | null> {
  const { db, queues, log } = deps;
  const { tenantId, queueUrl, deadLetterQueueUrl } = tenant;
  if (queueUrl === null || deadLetterQueueUrl === null) return null;
  const known = queueFinding(findings);
  try {
    const depths = await queues.depths({ queue: queueUrl, dead: deadLetterQueueUrl });
    if (known !== null) logFindings(log, tenantId, await recordQueue(db, tenantId, null));
    await keepFor(deps, queueUrl, depths.queue, tenant.retentionDays, tenantId);
    await keepFor(deps, deadLetterQueueUrl, depths.dead, DEAD_RETENTION_DAYS, tenantId);
    return depths;
  } catch (error) {
    if (!isOfTheQueue(queueProblem(error).problem)) throw error;
    logFindings(log, tenantId, await recordQueue(db, tenantId, error));
    if (known?.code === 'queue_missing' && isNoSuchQueue(error) && (await mendQueue(deps, tenant, 'system'))) {
      log.warn({ event: 'queue.made_anew', tenantId }, 'queue: made anew');
    }
    return null;
  }
}

/** A queue that keeps messages for less than we say was changed by somebody else. More does no harm, and may be a change that is under way. */
async function keepFor({ queues, log }: WatchDeps, url: string, { keptS }: Depth, days: number, tenantId: string) {
  if (keptS === undefined || keptS >= days * DAY_SECONDS) return;
  await queues.setRetention(url, days);
  log.warn({ event: 'queue.retention_mended', tenantId, keptS, days }, 'queue: kept messages for less than it should');
}

const idleMs = ({ now }: WatchDeps, drain: DrainState | undefined): number =>
  now().getTime() - (drain?.lastActivityAt?.getTime() ?? 0);

/** The wake signal was lost, or a process died between clearing the mark and signalling. Extra wakes are harmless. */
async function wakeIfForgotten(
  deps: WatchDeps,
  tenantId: string,
  drain: DrainState | undefined,
  waiting: number,
): Promise<boolean> {
  const { db, workflows } = deps;
  if (waiting === 0 || (drain?.parkedAt == null && idleMs(deps, drain) < NOBODY_AT_IT_MS)) return false;
  await clearParked(db, tenantId);
  await orderDrains(db, [tenantId], 'look');
  await workflows.wake(tenantId);
  return true;
}

async function extend(deps: WatchDeps, tenant: Tenant, { extendTo }: RiskVerdict): Promise<void> {
  const { db, queues, log } = deps;
  const { tenantId, queueUrl } = tenant;
  if (extendTo === null || queueUrl === null) return;
  await queues.setRetention(queueUrl, extendTo);
  await changeTenant(db, tenantId, { retentionDays: extendTo });
  const details = { from: tenant.retentionDays, to: extendTo };
  await recordAction(db, {
    tenantId,
    at: deps.now(),
    by: 'system',
    action: 'extend_retention',
    reason: 'events wait long',
    details,
  });
  log.warn({ event: 'retention.extended', tenantId, ...details }, 'retention: extended');
}

/** True when a new alert was raised. Noted first, for list and metrics do not need Temporal; the extraction is told until it was. */
async function alarm(
  deps: WatchDeps,
  facts: PlaceFacts,
  { level, percent, firstLossAt }: RiskVerdict,
): Promise<boolean> {
  const { db, workflows, log } = deps;
  const { tenantId, retentionAlertTold } = facts.tenant;
  if (level === 0) {
    await calm(deps, facts);
    return false;
  }
  const isNew = await raiseAlert(db, tenantId, level);
  const at = firstLossAt.toISOString();
  if (isNew) {
    log.error(
      { event: 'retention.alert_raised', tenantId, percent, firstLossAt: at },
      'retention: waiting events are about to expire',
    );
  }
  // One that was begun anew, or reset, was told nothing.
  const hasForgotten = facts.extraction?.warning === null && !facts.findings.some(isOfWorkflows);
  if (retentionAlertTold < level || hasForgotten) {
    await workflows.warn(tenantId, problem('events_expire', { percent, at }));
    await noteAlertTold(db, tenantId, level);
  }
  return isNew;
}

/** True when an alert was up. */
async function calm({ db, workflows, log }: WatchDeps, { tenant, extraction }: PlaceFacts): Promise<boolean> {
  const { tenantId, retentionAlertTold } = tenant;
  const wasUp = await clearAlert(db, tenantId);
  if (wasUp)
    log.info({ event: 'retention.alert_cleared', tenantId }, 'retention: no event is about to expire any more');
  if (retentionAlertTold > 0 || extraction?.warning?.code === 'events_expire') {
    await workflows.warn(tenantId, null);
    await noteAlertTold(db, tenantId, 0);
  }
  return wasUp;
}
