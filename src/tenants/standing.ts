import type { ExtractionView, ShownPhase } from '../contracts/extraction.ts';
import type { OnboardingStatus } from '../contracts/onboarding.ts';
import { type Problem, problem, problemMendedBy } from '../contracts/problems.ts';
import type { Place, PlaceFacts } from '../store/tenant-states.ts';
import { isUrgent, queueFinding, workflowFinding } from './finding-kinds.ts';
import { firstLossAt } from './loss.ts';

/** What a tenant needs, in the order in which an operator has to look. The index of each is stored (tenant_states.need): new ones go last. */
export const GROUPS = ['attention', 'customer', 'paused', 'connecting', 'running', 'ended'] as const;
export type Group = (typeof GROUPS)[number];

/** Colours of the badge; the word always says the same. */
export type Tone = 'good' | 'warn' | 'bad' | 'busy' | 'quiet';

export interface Standing {
  readonly group: Group;
  /** The state in a word or three. */
  readonly label: string;
  readonly tone: Tone;
  /** What stands in the way, or is about to happen. */
  readonly problem: Problem | null;
  /** ISO time since when a person would say so; null while no workflow has written it. */
  readonly since: string | null;
  /** Which workflow says so. */
  readonly from: 'onboarding' | 'extraction' | null;
}

/** The same words as in Temporal UI (src/workflows/extraction/details.ts). */
const PHASES: Readonly<Record<ShownPhase, readonly [group: Group, label: string, tone: Tone]>> = {
  running: ['running', 'Running', 'good'],
  waiting_for_gladly: ['running', 'Waiting for Gladly', 'busy'],
  pausing: ['paused', 'Pausing', 'busy'],
  paused: ['paused', 'Paused', 'warn'],
  needs_attention: ['attention', 'Needs attention', 'bad'],
  disconnected: ['ended', 'Disconnected', 'quiet'],
};

/** An alert from here on says that events are about to be lost (the sweep raises 50, 80 and 95). */
const ALARMING_PERCENT = 80;

/** What a standing follows from. */
export type StandingFacts = Pick<PlaceFacts, 'onboarding' | 'extraction' | 'findings' | 'keyRefusedAt'> & {
  readonly tenant: Pick<PlaceFacts['tenant'], 'state' | 'retentionAlert' | 'disconnectedAt'>;
};

/** How a tenant stands: the one place where this is decided, for the list, the pages, the status and the metrics. */
export function standingOf({ tenant, onboarding, extraction, findings, keyRefusedAt }: StandingFacts): Standing {
  const { state, retentionAlert, disconnectedAt } = tenant;
  if (state === 'disconnected' || state === 'cancelled') {
    const label = state === 'disconnected' ? 'Disconnected' : 'Cancelled';
    return {
      group: 'ended',
      label,
      tone: 'quiet',
      problem: null,
      since: disconnectedAt?.toISOString() ?? null,
      from: null,
    };
  }
  // Whatever its workflows wrote last: they do not go on.
  const stuck = workflowFinding(findings);
  if (stuck !== null) {
    const since = stuck.since ?? null;
    return { group: 'attention', label: 'Stands still', tone: 'bad', problem: stuck, since, from: null };
  }
  const setUp = onboarding && whileSettingUp(onboarding);
  // While a tenant is being disconnected that is what counts, whatever its extraction does meanwhile.
  if (setUp && onboarding.state === 'cancelling') return setUp;
  const found = queueFinding(findings) ?? findings[0] ?? null;
  if (setUp && (extraction === null || extraction.phase === 'disconnected')) return withFindings(setUp, found);
  if (extraction === null) return withFindings(STARTING, found);
  const running = withFindings(whileExtracting(extraction), found);
  // What Gladly sends with a wrong key is lost, whether extraction is paused or not.
  const refused = keyProblem({ tenant, keyRefusedAt });
  if (refused !== null || retentionAlert >= ALARMING_PERCENT)
    return { ...running, group: 'attention', tone: 'bad', problem: running.problem ?? refused };
  // New credentials of a connected tenant are being checked, and something is wrong with them.
  return setUp?.problem && running.group === 'running' ? setUp : running;
}

const STARTING: Standing = {
  group: 'connecting',
  label: 'Starting',
  tone: 'busy',
  problem: null,
  since: null,
  from: null,
};

/** What was found is told where nothing else is in the way; what is lost unless somebody acts is told first. */
function withFindings(standing: Standing, found: Problem | null): Standing {
  if (found === null) return standing;
  const problem = standing.problem ?? found;
  return isUrgent(found) ? { ...standing, group: 'attention', tone: 'bad', problem } : { ...standing, problem };
}

/** A connected tenant's webhook is called with a wrong key, and nothing has come with a right one since. */
export function keyProblem({
  tenant,
  keyRefusedAt,
}: {
  readonly tenant: Pick<PlaceFacts['tenant'], 'state'>;
  readonly keyRefusedAt: Date | null;
}): Problem | null {
  if (tenant.state !== 'connected' || keyRefusedAt === null) return null;
  const at = keyRefusedAt.toISOString();
  return { ...problem('webhook_key_refused', { at }), since: at };
}

/** What an onboarding that has not ended has in its way: of the cancellation, or of the step at hand. */
export function onboardingProblem({ problem, step, steps }: OnboardingStatus): Problem | null {
  return problem ?? steps.find(({ name }) => name === step)?.problem ?? null;
}

/** A delivery is news to its onboarding: it is not done, or has not seen every kind of event yet. */
export const awaitsDeliveries = ({ onboarding }: Pick<PlaceFacts, 'onboarding'>): boolean =>
  onboarding === null ||
  onboarding.state === 'in_progress' ||
  (onboarding.state === 'done' && onboarding.steps.some(({ name, notices }) => name === 'proof' && notices.length > 0));

/** Null when it is done or cancelled, and so says nothing of how the tenant is. */
function whileSettingUp(onboarding: OnboardingStatus): Standing | null {
  const { state, step, steps } = onboarding;
  if (state === 'done' || state === 'cancelled') return null;
  const problem = onboardingProblem(onboarding);
  const mender = problem && problemMendedBy(problem);
  if (state === 'cancelling') {
    const asks = mender !== null && mender !== 'time';
    return {
      group: asks ? 'attention' : 'connecting',
      label: 'Disconnecting',
      tone: asks ? 'bad' : 'busy',
      problem,
      since: onboarding.since,
      from: 'onboarding',
    };
  }
  const since = steps.find(({ name }) => name === step)?.stuckSince ?? onboarding.since;
  const [group, label, tone] = SETTING_UP[mender ?? 'nothing'];
  return { group, label, tone, problem, since, from: 'onboarding' };
}

const SETTING_UP = {
  nothing: ['connecting', 'Connecting', 'busy'],
  time: ['connecting', 'Retrying', 'busy'],
  customer: ['customer', 'Waits for the customer', 'warn'],
  operator: ['attention', 'Needs attention', 'bad'],
} as const satisfies Record<string, readonly [Group, string, Tone]>;

function whileExtracting({ phase, since, problem, warning }: ExtractionView): Standing {
  const [group, label, tone] = PHASES[phase];
  return { group, label, tone, problem: problem ?? warning, since, from: 'extraction' };
}

/** Where the tenant stands in the list. While it is running or has ended, nothing in its queue is at risk. */
export function placeOf(facts: PlaceFacts): Place {
  const { group } = standingOf(facts);
  const isRead = group === 'running' || group === 'ended';
  return {
    need: GROUPS.indexOf(group),
    urgency: facts.tenant.retentionAlert,
    losesAt: isRead ? null : firstLossAt(facts.tenant, facts.queueEmptyAt),
  };
}
