import type { Config } from '../config.ts';
import type { ExtractionStatus } from '../contracts/extraction.ts';
import type { OnboardingStatus } from '../contracts/onboarding.ts';
import type { Problem } from '../contracts/problems.ts';
import type { Queues } from '../queue/provision.ts';
import type { Db } from '../store/db.ts';
import { drainStates } from '../store/drains.ts';
import { type EventCounts, eventCounts } from '../store/ledger/counters.ts';
import { readMeasurements } from '../store/measurements.ts';
import { pendingConversations, type Recent, recentOf } from '../store/overview.ts';
import { type NotedQuota, quotasOf } from '../store/quota-use.ts';
import { lastSeenOf } from '../store/sightings.ts';
import type { Tenant } from '../store/tenants.ts';
import { type Backlog, backlogOf } from './backlog.ts';
import { problemOf } from './overview.ts';
import { type Standing, standingOf } from './standing.ts';
import type { WorkflowRecord } from './workflow-records.ts';
import type { Known, TenantWorkflows } from './workflows.ts';

/** All that the page of one tenant shows of how it is now. */
export interface TenantView {
  readonly tenant: Tenant;
  readonly standing: Standing;
  /** ISO time since which it is so; null when no worker answers. */
  readonly since: string | null;
  readonly problem: Problem | null;
  readonly warning: Problem | null;
  readonly pause: ExtractionStatus['pause'];
  readonly onboarding: OnboardingStatus | null;
  /** Extraction runs, so it can be paused and resumed. */
  readonly isExtracting: boolean;
  /** No worker answered: states are those of Temporal's records. */
  readonly isRecord: boolean;
  readonly counts: EventCounts;
  /** Null when SQS does not answer. */
  readonly inQueue: number | null;
  readonly deadLetters: number | null;
  /** When the first event would be lost; null while none is in the queue. */
  readonly firstLossAt: Date | null;
  readonly lastEventAt: Date | null;
  readonly recent: Recent | null;
  readonly quota: NotedQuota | null;
  readonly backlog: Backlog;
}

export interface TenantViewWorld {
  readonly db: Db;
  readonly queues: Queues;
  readonly workflows: TenantWorkflows;
  readonly config: Pick<Config, 'QUOTA_SHARE'>;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** What SQS or a worker does not answer is left out instead of failing the whole. */
export async function readTenantView(world: TenantViewWorld, tenant: Tenant): Promise<TenantView> {
  const { db, workflows, config } = world;
  const { tenantId } = tenant;
  const now = new Date();
  const [onboarding, extraction, counts, depths, drains, seen, recents, quotas, conversations, minutes] =
    await Promise.all([
      workflows.onboardingStatus(tenantId),
      workflows.extractionStatus(tenantId),
      eventCounts(db, tenantId),
      depthsOf(world.queues, tenant),
      drainStates(db, [tenantId]),
      lastSeenOf(db, [tenantId]),
      recentOf(db, [tenantId], new Date(now.getTime() - HOUR_MS)),
      quotasOf(db, [tenantId]),
      pendingConversations(db, tenantId),
      readMeasurements(db, tenantId, { from: new Date(now.getTime() - DAY_MS), to: now }),
    ]);
  const setUp = onboarding?.from === 'workflow' ? onboarding.status : null;
  const status = extraction?.from === 'workflow' ? extraction.status : null;
  const standing = standingOf(tenant, onboardingRecord(onboarding), extractionRecord(extraction));
  const inQueue = depths?.queue ?? null;
  const waitsSince = drains.get(tenantId)?.queueEmptyAt ?? tenant.createdAt;
  const quota = quotas.get(tenantId) ?? null;
  return {
    tenant,
    standing,
    since: (standing.from === 'onboarding' ? setUp?.since : status?.since) ?? null,
    problem: standing.from === 'onboarding' ? setUp && problemOf(setUp) : (status?.problem ?? null),
    warning: status?.warning ?? null,
    pause: status?.pause ?? null,
    onboarding: setUp,
    isExtracting: extraction !== null && status?.phase !== 'disconnected' && tenant.state === 'connected',
    isRecord: onboarding?.from === 'records' || extraction?.from === 'records',
    counts,
    inQueue,
    deadLetters: depths?.dead ?? null,
    firstLossAt: inQueue ? new Date(waitsSince.getTime() + tenant.retentionDays * DAY_MS) : null,
    lastEventAt: seen.get(tenantId) ?? null,
    recent: recents.get(tenantId) ?? null,
    quota,
    backlog: backlogOf({
      inLedger: counts.waiting,
      conversations,
      inQueue: inQueue ?? 0,
      share: config.QUOTA_SHARE,
      quota: isCurrent(quota, now) ? quota : null,
      minutes,
    }),
  };
}

/** What waits in the ledger and in the queue; null when SQS does not answer. A tenant without a queue has nothing in it. */
export async function waitingNow(world: TenantViewWorld, tenant: Tenant): Promise<number | null> {
  const [counts, depths] = await Promise.all([eventCounts(world.db, tenant.tenantId), depthsOf(world.queues, tenant)]);
  return waitingIn({ tenant, counts, inQueue: depths?.queue ?? null });
}

export function waitingIn({
  tenant,
  counts,
  inQueue,
}: Pick<TenantView, 'tenant' | 'counts' | 'inQueue'>): number | null {
  if (tenant.queueUrl === null) return counts.waiting;
  return inQueue === null ? null : counts.waiting + inQueue;
}

const CURRENT_MS = 10_000;
const isCurrent = (quota: NotedQuota | null, now: Date): boolean =>
  quota !== null && now.getTime() - quota.at.getTime() < CURRENT_MS;

function onboardingRecord(known: Known<OnboardingStatus> | null): WorkflowRecord | undefined {
  if (known === null) return undefined;
  if (known.from === 'records') return ENDED.has(known.state) ? undefined : { ...known, pausedSince: null };
  const { state, step } = known.status;
  if (ENDED.has(state)) return undefined;
  const problem = problemOf(known.status)?.code ?? null;
  return { state: state === 'in_progress' ? step : state, problem, pausedSince: null };
}

const ENDED: ReadonlySet<string> = new Set(['done', 'cancelled']);

function extractionRecord(known: Known<ExtractionStatus> | null): WorkflowRecord | undefined {
  if (known === null) return undefined;
  if (known.from === 'records') return { ...known, pausedSince: null };
  const { phase, problem, pause } = known.status;
  return { state: phase, problem: problem?.code ?? null, pausedSince: pause && new Date(pause.at) };
}

async function depthsOf(queues: Queues, { queueUrl, deadLetterQueueUrl }: Tenant) {
  if (queueUrl === null || deadLetterQueueUrl === null) return null;
  try {
    const { queue, dead } = await queues.depths({ queue: queueUrl, dead: deadLetterQueueUrl });
    return { queue: total(queue), dead: total(dead) };
  } catch {
    return null;
  }
}

const total = (depth: { readonly waiting: number; readonly inFlight: number; readonly delayed: number }): number =>
  depth.waiting + depth.inFlight + depth.delayed;
