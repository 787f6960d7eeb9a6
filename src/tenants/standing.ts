import type { ExtractionPhase } from '../contracts/extraction.ts';
import { isProblemCode, problemText } from '../contracts/problems.ts';
import type { Tenant } from '../store/tenants.ts';
import type { WorkflowRecord } from './workflow-records.ts';

/** What a tenant needs, in the order in which an operator has to look. */
export const GROUPS = ['attention', 'customer', 'paused', 'connecting', 'running', 'ended'] as const;
export type Group = (typeof GROUPS)[number];

/** Colours of the badge; the word always says the same. */
export type Tone = 'good' | 'warn' | 'bad' | 'busy' | 'quiet';

export interface Standing {
  readonly group: Group;
  /** The state in a word or three. */
  readonly label: string;
  readonly tone: Tone;
  /** Code of the problem that stands in the way. */
  readonly problem: string | null;
  /** Which workflow can tell more about it. */
  readonly from: 'onboarding' | 'extraction' | null;
}

/** The same words as in Temporal UI (src/workflows/extraction/details.ts). */
export const PHASES: Readonly<Record<ExtractionPhase, readonly [label: string, tone: Tone]>> = {
  running: ['Running', 'good'],
  parked: ['Running', 'good'],
  pausing: ['Pausing', 'busy'],
  paused: ['Paused', 'warn'],
  waiting_for_gladly: ['Waiting for Gladly', 'busy'],
  needs_attention: ['Needs attention', 'bad'],
  disconnected: ['Disconnected', 'quiet'],
};

export const isPhase = (state: string | null): state is ExtractionPhase =>
  state !== null && Object.hasOwn(PHASES, state);

/** An alert from here on says that events are about to be lost (the sweep raises 50, 80 and 95). */
const ALARMING_PERCENT = 80;

type Known = Pick<Tenant, 'state' | 'retentionAlert'>;

/** How a tenant stands, from what the store and Temporal's records say of it. Undefined: there is no such workflow now. */
export function standingOf(
  { state, retentionAlert }: Known,
  onboarding: WorkflowRecord | undefined,
  extraction: WorkflowRecord | undefined,
): Standing {
  if (state === 'disconnected') return ended('Disconnected');
  if (state === 'cancelled') return ended('Cancelled');
  const now = onboarding === undefined ? null : whileConnecting(onboarding);
  const runs = extraction !== undefined && isPhase(extraction.state);
  // One that has ended may be taken back still, or begin anew: what the set-up says of that counts.
  if (!runs || (now !== null && extraction.state === 'disconnected')) {
    return now ?? { group: 'connecting', label: 'Starting', tone: 'busy', problem: null, from: null };
  }
  const running = whileExtracting(extraction.state, extraction.problem);
  if (retentionAlert >= ALARMING_PERCENT) return { ...running, group: 'attention', tone: 'bad' };
  // New credentials of a connected tenant are being checked, and something is wrong with them.
  return now?.problem && running.group === 'running' ? now : running;
}

function ended(label: string): Standing {
  return { group: 'ended', label, tone: 'quiet', problem: null, from: null };
}

function whileConnecting({ state, problem }: WorkflowRecord): Standing {
  const from = 'onboarding';
  if (state === 'cancelling') {
    const asks = problem !== null && mender(problem) !== 'time';
    return {
      group: asks ? 'attention' : 'connecting',
      label: 'Disconnecting',
      tone: asks ? 'bad' : 'busy',
      problem,
      from,
    };
  }
  if (problem === null) return { group: 'connecting', label: 'Connecting', tone: 'busy', problem, from };
  switch (mender(problem)) {
    case 'time':
      return { group: 'connecting', label: 'Retrying', tone: 'busy', problem, from };
    case 'customer':
      return { group: 'customer', label: 'Waits for the customer', tone: 'warn', problem, from };
    case 'operator':
      return { group: 'attention', label: 'Needs attention', tone: 'bad', problem, from };
  }
}

function whileExtracting(phase: ExtractionPhase, problem: string | null): Standing {
  const [label, tone] = PHASES[phase];
  const group: Record<ExtractionPhase, Group> = {
    running: 'running',
    parked: 'running',
    waiting_for_gladly: 'running',
    pausing: 'paused',
    paused: 'paused',
    needs_attention: 'attention',
    disconnected: 'ended',
  };
  return { group: group[phase], label, tone, problem, from: 'extraction' };
}

/** A code of a newer version than ours is nothing that time heals, as far as we know. */
const mender = (code: string) => (isProblemCode(code) ? problemText(code).mendedBy : 'operator');

export interface Sortable {
  readonly tenantId: string;
  readonly standing: Standing;
  /** Percent of the retention that is used up, as the sweep found it: 0, 50, 80 or 95. */
  readonly retentionAlert: number;
  /** When the first event would be lost, if one waits in the queue. */
  readonly mayLoseAt: Date | null;
}

/** What needs a person first comes first; then what would be lost first; then by id. */
export function byNeed(one: Sortable, other: Sortable): number {
  return (
    GROUPS.indexOf(one.standing.group) - GROUPS.indexOf(other.standing.group) ||
    other.retentionAlert - one.retentionAlert ||
    lossOf(one) - lossOf(other) ||
    (one.tenantId < other.tenantId ? -1 : 1)
  );
}

const NEVER = 8.64e15;
/** Only what is stopped leaves events in the queue. */
const lossOf = ({ standing, mayLoseAt }: Sortable): number =>
  standing.group === 'running' ? NEVER : (mayLoseAt?.getTime() ?? NEVER);
