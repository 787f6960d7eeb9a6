import type { ExtractionView } from '../../contracts/extraction.ts';
import type { OnboardingStatus } from '../../contracts/onboarding.ts';
import { type Problem, problemMendedBy, problemRemedy, problemSentence } from '../../contracts/problems.ts';
import type { Liveness } from '../../tenants/liveness.ts';
import { problemOf, type ReadModel, type TenantHabits, type TenantView } from '../../tenants/read-model.ts';
import { keyProblem, onboardingProblem } from '../../tenants/standing.ts';

/** A problem in the words that a person reads. */
interface ShownProblem {
  readonly code: string;
  readonly sentence: string;
  readonly remedy: string;
  readonly mendedBy: string;
  readonly since: string | null;
}

const DAY_MS = 86_400_000;

/** One tenant in the answer of `GET /v1/tenants`. */
export function tenantSummary(row: Awaited<ReturnType<ReadModel['byId']>>[number]) {
  return {
    ...connectionOf(row.tenant),
    state: row.extraction?.phase ?? null,
    problem: codeOf(row, keyProblem(row)),
    findings: row.findings.map(({ code }) => code),
  };
}

/** The code of what is in the way: of extraction, queue or ledger, or else of a set-up that waits for something or somebody. */
const codeOf = (
  view: Pick<TenantView, 'onboarding' | 'extraction' | 'findings'>,
  refused: Problem | null,
): string | null =>
  (problemOf(view) ?? refused ?? (view.onboarding && onboardingProblem(view.onboarding)))?.code ?? null;

/** The answer of `GET /v1/tenants/:tenantId`. `urls.connectUrl` is null for a viewer, as the link allows changes. */
export function tenantStatus(
  view: TenantView,
  { drift, silentSince }: TenantHabits,
  urls: { readonly webhookUrl: string; readonly connectUrl: string | null },
) {
  const { tenant, onboarding, extraction, phase, keyProblem: refused, counts, inQueue, deadLetters } = view;
  return {
    ...connectionOf(tenant),
    state: phase,
    problem: codeOf(view, refused),
    /** What was found wrong with its queue or ledger: a queue that is missing, dead letters, rejected events. */
    findings: view.findings.map(shown),
    /** Set while the webhook is called without a key that we accept, and nothing came with a right one since. */
    webhookProblem: refused && shown(refused),
    ...urls,
    domain: tenant.host,
    retentionDays: tenant.retentionDays,
    retentionPolicy: tenant.retentionPolicy,
    onboarding: onboarding && shownOnboarding(onboarding),
    extraction: extraction && { ...shownExtraction(extraction), state: phase },
    events: {
      /** In SQS, approximately; null when SQS does not answer. */
      inQueue,
      inDeadLetterQueue: deadLetters,
      ...shownCounts(counts),
    },
    /** Set when a tenant that usually sends has sent nothing for unusually long: its webhook may be off. */
    silentSince: tenant.state === 'connected' ? silentSince : null,
    /** Names of what Gladly sends that is not known yet, the newest first; it is kept raw. */
    drift,
    /** How long the oldest message in SQS may have waited, and when the first would be lost; null while none is there. */
    loss: lossOf(view),
    ...asOf(view.liveness),
  };
}

/** As of when the states are known, and what is out since then, if anything. */
export const asOf = ({ asOf: at, out, unsweptSince }: Liveness) => ({ asOf: at, out, unsweptSince });

const connectionOf = ({ tenantId, name, createdAt, state }: TenantView['tenant']) => ({
  tenantId,
  name,
  createdAt,
  /** `connecting`, `connected` ...: whether it is connected at all. */
  connection: state,
});

const shown = (problem: Problem): ShownProblem => ({
  code: problem.code,
  sentence: problemSentence(problem),
  remedy: problemRemedy(problem),
  mendedBy: problemMendedBy(problem),
  since: problem.since ?? null,
});

function shownOnboarding(onboarding: OnboardingStatus) {
  const { steps, problem: _, ...status } = onboarding;
  const problem = onboardingProblem(onboarding);
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

function shownExtraction({ phase: _, problem, warning, ...view }: ExtractionView) {
  return { ...view, problem: problem && shown(problem), warning: warning && shown(warning) };
}

function shownCounts({ waiting, extracted, gone, rejected, ignored, trimmed, oldestWaitingAt }: TenantView['counts']) {
  // What was done and has been trimmed since was extracted or gone; nearly always the first.
  return { waiting, extracted: extracted + trimmed, gone, rejected, ignored, oldestWaitingAt };
}

function lossOf({ waitsSince, firstLossAt }: TenantView) {
  if (waitsSince === null || firstLossAt === null) return null;
  const daysLeft = Math.max(0, (firstLossAt.getTime() - Date.now()) / DAY_MS);
  return { oldestMayWaitSince: waitsSince, firstLossAt, daysLeft: Math.round(daysLeft * 100) / 100 };
}
