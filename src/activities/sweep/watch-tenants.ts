import { Context } from '@temporalio/activity';
import { problem } from '../../contracts/problems.ts';
import type { SweepActivities, WatchReport } from '../../contracts/sweep.ts';
import { type Queues, totalOf } from '../../queue/provision.ts';
import { recordAction } from '../../store/actions.ts';
import type { Db } from '../../store/db.ts';
import { clearParked, type DrainState, drainStates } from '../../store/drains.ts';
import { type EventCounts, eventCountsOf } from '../../store/ledger/counters.ts';
import { readTenantFacts } from '../../store/tenant-states.ts';
import { listTenants, type Tenant } from '../../store/tenants.ts';
import type { Logger } from '../../telemetry/log.ts';
import { waitsSince } from '../../tenants/loss.ts';
import { changeTenant, clearAlert, raiseAlert } from '../../tenants/projection.ts';
import type { TenantWorkflows } from '../../tenants/workflows.ts';
import { judge, type RiskVerdict } from './retention.ts';

export interface WatchDeps {
  readonly db: Db;
  readonly queues: Queues;
  readonly workflows: Pick<TenantWorkflows, 'wake' | 'archive' | 'warn'>;
  readonly log: Logger;
  readonly now: () => Date;
}

const PAGE = 200;

/** Asked for at the same time. A depth takes SQS some milliseconds. */
const AT_ONCE = 10;

/** A drain writes down every 4 s that it is at work: one that has not for so long is not. */
const NOBODY_AT_IT_MS = 60_000;

export function createWatchTenants(deps: WatchDeps): SweepActivities['watchTenants'] {
  return async () => {
    const report = { tenants: 0, woken: 0, raised: 0, cleared: 0, failed: 0 };
    for (let after = ''; ; ) {
      const page = await listTenants(deps.db, { after, limit: PAGE });
      const ids = page.map(({ tenantId }) => tenantId);
      const [drains, counts] = await Promise.all([drainStates(deps.db, ids), eventCountsOf(deps.db, ids)]);
      // One that is still being connected may have events already: its webhook can be there before its token is.
      const receiving = page.filter(
        ({ state, queueUrl }) => (state === 'connected' || state === 'connecting') && queueUrl !== null,
      );
      for (let i = 0; i < receiving.length; i += AT_ONCE) {
        Context.current().heartbeat();
        const some = receiving.slice(i, i + AT_ONCE);
        await Promise.all(some.map((tenant) => watchOne(deps, tenant, drains, counts, report)));
      }
      const last = page.at(-1);
      if (page.length < PAGE || !last) return report;
      after = last.tenantId;
    }
  };
}

type Report = { -readonly [Name in keyof WatchReport]: number };

async function watchOne(
  deps: WatchDeps,
  tenant: Tenant,
  drains: ReadonlyMap<string, DrainState>,
  counts: ReadonlyMap<string, EventCounts>,
  report: Report,
): Promise<void> {
  const { tenantId, queueUrl, deadLetterQueueUrl } = tenant;
  report.tenants += 1;
  try {
    if (queueUrl === null || deadLetterQueueUrl === null) return;
    const { queue } = await deps.queues.depths({ queue: queueUrl, dead: deadLetterQueueUrl });
    const drain = drains.get(tenantId);
    const inQueue = totalOf(queue);
    const waiting = inQueue + (counts.get(tenantId)?.waiting ?? 0);
    if (tenant.state === 'connected' && (await wakeIfForgotten(deps, tenantId, drain, waiting))) report.woken += 1;
    if (inQueue === 0) {
      if (await calm(deps, tenantId)) report.cleared += 1;
      return;
    }
    const paused = (await readTenantFacts(deps.db, tenantId))?.extraction?.pause != null;
    const verdict = judge(
      {
        waitsSince: waitsSince(tenant, drain?.queueEmptyAt ?? null),
        retentionDays: tenant.retentionDays,
        policy: tenant.retentionPolicy,
        paused,
      },
      deps.now(),
    );
    if (await act(deps, tenant, verdict)) report.raised += 1;
  } catch (error) {
    report.failed += 1;
    deps.log.warn({ event: 'tenant.not_watched', err: error, tenantId }, 'tenant: could not be watched');
  }
}

/** The wake signal was lost, or a process died between clearing the mark and signalling. Extra wakes are harmless; a paused tenant stays paused. */
async function wakeIfForgotten(
  { db, workflows, now }: WatchDeps,
  tenantId: string,
  drain: DrainState | undefined,
  waiting: number,
): Promise<boolean> {
  const idleMs = now().getTime() - (drain?.lastActivityAt?.getTime() ?? 0);
  if (waiting === 0 || (drain?.parkedAt == null && idleMs < NOBODY_AT_IT_MS)) return false;
  await clearParked(db, tenantId);
  await workflows.wake(tenantId);
  return true;
}

/** True when a new alert was raised. */
async function act(deps: WatchDeps, tenant: Tenant, verdict: RiskVerdict): Promise<boolean> {
  const { db, queues, workflows, log } = deps;
  const { tenantId, queueUrl } = tenant;
  if (verdict.extendTo !== null && queueUrl !== null) {
    await queues.setRetention(queueUrl, verdict.extendTo);
    await changeTenant(db, tenantId, { retentionDays: verdict.extendTo });
    const details = { from: tenant.retentionDays, to: verdict.extendTo };
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
  if (verdict.archive) await workflows.archive(tenantId);
  if (verdict.level === 0) {
    await calm(deps, tenantId);
    return false;
  }
  if (!(await raiseAlert(db, tenantId, verdict.level))) return false;
  const at = verdict.firstLossAt.toISOString();
  log.error(
    { event: 'retention.alert_raised', tenantId, percent: verdict.percent, firstLossAt: at },
    'retention: waiting events are about to expire',
  );
  await workflows.warn(tenantId, problem('events_expire', { percent: verdict.percent, at }));
  return true;
}

/** True when an alert was up. */
async function calm({ db, workflows, log }: WatchDeps, tenantId: string): Promise<boolean> {
  if (!(await clearAlert(db, tenantId))) return false;
  await workflows.warn(tenantId, null);
  log.info({ event: 'retention.alert_cleared', tenantId }, 'retention: no event is about to expire any more');
  return true;
}
