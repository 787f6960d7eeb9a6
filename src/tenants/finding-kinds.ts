import type { Problem } from '../contracts/problems.ts';

/** Problems of a queue that last until somebody acts; all else is trouble of SQS as a whole, which passes. */
export const OF_THE_QUEUE = ['queue_missing', 'queue_refused', 'queue_foreign'] as const;
export const SET_ASIDE = ['dead_letters_waiting', 'events_rejected'] as const;

/** What keeps a tenant's workflows from going on; the sweep finds it. */
export const OF_WORKFLOWS = ['workflow_wedged', 'key_missing', 'workflow_paused'] as const;

/** What does not go on although extraction runs; a drain finds it. */
export const OF_PROGRESS = [
  'conversations_failing',
  'conversations_put_off',
  'events_stalled',
  'quota_starved',
] as const;

/** What can be found wrong with a tenant's queue, ledger, workflows or progress (tenant_states.findings). */
export const FINDINGS: readonly Problem['code'][] = [...OF_THE_QUEUE, ...SET_ASIDE, ...OF_WORKFLOWS, ...OF_PROGRESS];

export const isOfProgress = ({ code }: Problem): boolean => OF_PROGRESS.some((one) => one === code);

export const isOfWorkflows = ({ code }: Problem): boolean => OF_WORKFLOWS.some((one) => one === code);

export const isOfTheQueue = ({ code }: Problem): boolean => OF_THE_QUEUE.some((one) => one === code);

export const isSetAside = ({ code }: Problem): boolean => SET_ASIDE.some((one) => one === code);

/** What keeps the tenant's queue from being used; null while nothing is known to. */
export const queueFinding = (findings: readonly Problem[]): Problem | null => findings.find(isOfTheQueue) ?? null;

/** What keeps a workflow of the tenant's from going on; null while nothing is known to. */
export const workflowFinding = (findings: readonly Problem[]): Problem | null => findings.find(isOfWorkflows) ?? null;

/** What keeps all events from going on although extraction runs; null while nothing is known to. */
export const standstillFinding = (findings: readonly Problem[]): Problem | null =>
  findings.find((finding) => isOfProgress(finding) && isUrgent(finding)) ?? null;

/** Somebody has to act: it is lost some day otherwise, or does not go on by itself. */
export const isUrgent = (finding: Problem): boolean =>
  isOfTheQueue(finding) || ['dead_letters_waiting', 'events_stalled', 'quota_starved'].includes(finding.code);
