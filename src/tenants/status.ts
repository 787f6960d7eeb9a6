import type { ExtractionStatus } from '../contracts/extraction.ts';
import type { OnboardingStatus } from '../contracts/onboarding.ts';
import { type Problem, problemMendedBy, problemRemedy, problemSentence } from '../contracts/problems.ts';
import type { Depths, Queues } from '../queue/provision.ts';
import type { Db } from '../store/db.ts';
import { type DrainState, drainStates } from '../store/drains.ts';
import { listDrift } from '../store/drift.ts';
import { type EventCounts, eventCounts } from '../store/ledger/counters.ts';
import { readMeasurements } from '../store/measurements.ts';
import type { Tenant } from '../store/tenants.ts';
import { silentSince } from './silence.ts';
import type { Known, TenantWorkflows } from './workflows.ts';

/** A problem in the words that a person reads. */
export interface ShownProblem {
  readonly code: string;
  readonly sentence: string;
  readonly remedy: string;
  readonly mendedBy: string;
  readonly since: string | null;
}

export interface TenantSummary {
  readonly tenantId: string;
  readonly name: string;
  readonly createdAt: Date;
  /** `connecting`, `connected` ...: whether it is connected at all. */
  readonly connection: string;
  /** Of its extraction; null before there is one. */
  readonly state: string | null;
  readonly problem: string | null;
}

export interface TenantStatus extends TenantSummary {
  readonly webhookUrl: string;
  /** Null for a viewer: whoever has the link can change things. */
  readonly connectUrl: string | null;
  readonly domain: string | null;
  readonly retentionDays: number;
  readonly retentionPolicy: string;
  readonly onboarding: unknown;
  readonly extraction: unknown;
  readonly events: {
    /** In SQS, approximately; null when SQS does not answer. */
    readonly inQueue: number | null;
    readonly inDeadLetterQueue: number | null;
    /** In the ledger. */
    readonly waiting: number;
    readonly extracted: number;
    readonly gone: number;
    readonly rejected: number;
    readonly oldestWaitingAt: Date | null;
  };
  /** Set when a tenant that usually sends has sent nothing for unusually long: its webhook may be off. */
  readonly silentSince: Date | null;
  /** Names of what Gladly sends that we do not know yet, the newest first, kept raw. */
  readonly drift: readonly { readonly what: string; readonly count: number }[];
  /** How long the oldest message in SQS may have waited, and when the first would be lost; null while none is there. */
  readonly loss: {
    readonly oldestMayWaitSince: string;
    readonly firstLossAt: string;
    readonly daysLeft: number;
  } | null;
}

export interface StatusWorld {
  readonly db: Db;
  readonly queues: Queues;
  readonly workflows: TenantWorkflows;
}

export function tenantSummary(
  { tenantId, name, createdAt, state }: Tenant,
  extraction: { readonly state: string; readonly problem: string | null } | undefined,
): TenantSummary {
  return {
    tenantId,
    name,
    createdAt,
    connection: state,
    state: extraction?.state ?? null,
    problem: extraction?.problem ?? null,
  };
}

/** All that is known of a tenant now. What does not answer (SQS, a worker) leaves its part out instead of failing the whole. */
export async function tenantStatus(
  { db, queues, workflows }: StatusWorld,
  tenant: Tenant,
  urls: { readonly webhookUrl: string; readonly connectUrl: string | null },
): Promise<TenantStatus> {
  const { tenantId } = tenant;
  const now = new Date();
  const [onboarding, extraction, counts, depths, drains, drift, minutes] = await Promise.all([
    workflows.onboardingStatus(tenantId),
    workflows.extractionStatus(tenantId),
    eventCounts(db, tenantId),
    depthsOf(queues, tenant),
    drainStates(db, [tenantId]),
    listDrift(db, tenantId, DRIFT_SHOWN),
    readMeasurements(db, tenantId, { from: new Date(now.getTime() - HABIT_MS), to: now }),
  ]);
  const inQueue = depths && total(depths.queue);
  return {
    ...tenantSummary(tenant, recordOf(extraction)),
    ...urls,
    domain: tenant.host,
    retentionDays: tenant.retentionDays,
    retentionPolicy: tenant.retentionPolicy,
    onboarding: shownOnboarding(onboarding),
    extraction: shownExtraction(extraction),
    events: { inQueue, inDeadLetterQueue: depths && total(depths.dead), ...shownCounts(counts) },
    silentSince: tenant.state === 'connected' ? silentSince(minutes, now) : null,
    drift: drift.map(({ what, count }) => ({ what, count })),
    loss: lossOf(tenant, drains.get(tenantId), inQueue),
  };
}

export function shown(problem: Problem): ShownProblem {
  return {
    code: problem.code,
    sentence: problemSentence(problem),
    remedy: problemRemedy(problem),
    mendedBy: problemMendedBy(problem),
    since: problem.since ?? null,
  };
}

function shownOnboarding(known: Known<OnboardingStatus> | null): unknown {
  if (known?.from !== 'workflow') return known && unanswered(known);
  const { steps, problem, ...status } = known.status;
  return {
    ...status,
    problem: problem && shown(problem),
    steps: steps.map((step) => ({
      ...step,
      problem: step.problem && shown(step.problem),
      furtherProblems: step.furtherProblems.map(shown),
      notices: step.notices.map(shown),
      reminder: step.reminder && shown(step.reminder),
    })),
  };
}

function shownExtraction(known: Known<ExtractionStatus> | null): unknown {
  if (known?.from !== 'workflow') return known && unanswered(known);
  const { phase, problem, warning, ...status } = known.status;
  return { state: phase, ...status, problem: problem && shown(problem), warning: warning && shown(warning) };
}

const unanswered = ({ state, problem }: { readonly state: string; readonly problem: string | null }) => ({
  state,
  problem,
  note: 'No worker answers, so this is what Temporal recorded last.',
});

function recordOf(known: Known<ExtractionStatus> | null) {
  if (known === null) return undefined;
  if (known.from === 'records') return known;
  return { state: known.status.phase, problem: known.status.problem?.code ?? null };
}

async function depthsOf(queues: Queues, { queueUrl, deadLetterQueueUrl }: Tenant): Promise<Depths | null> {
  if (queueUrl === null || deadLetterQueueUrl === null) return null;
  try {
    return await queues.depths({ queue: queueUrl, dead: deadLetterQueueUrl });
  } catch {
    return null;
  }
}

const total = ({ waiting, inFlight, delayed }: Depths['queue']): number => waiting + inFlight + delayed;

function shownCounts({ waiting, extracted, gone, rejected, trimmed, oldestWaitingAt }: EventCounts) {
  // What was done and has been trimmed since was extracted or gone; nearly always the first.
  return { waiting, extracted: extracted + trimmed, gone, rejected, oldestWaitingAt };
}

/** What is in the queue came after it was last seen empty, so the oldest message has waited that long at most. */
function lossOf(
  { createdAt, retentionDays }: Tenant,
  drain: DrainState | undefined,
  inQueue: number | null,
): TenantStatus['loss'] {
  if (!inQueue) return null;
  const since = drain?.queueEmptyAt ?? createdAt;
  const firstLossAt = since.getTime() + retentionDays * DAY_MS;
  return {
    oldestMayWaitSince: since.toISOString(),
    firstLossAt: new Date(firstLossAt).toISOString(),
    daysLeft: Math.round(Math.max(0, (firstLossAt - Date.now()) / DAY_MS) * 100) / 100,
  };
}

const DAY_MS = 86_400_000;
/** What a tenant's habit is learned from; it has every night and two weekends in it. */
const HABIT_MS = 14 * DAY_MS;
const DRIFT_SHOWN = 20;
