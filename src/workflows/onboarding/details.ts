import type { CarriedOnboarding, StepState, StepStatus } from '../../contracts/onboarding.ts';
import type { Problem } from '../../contracts/problems.ts';
import { inline, remedy, sentence } from '../shared/problem.ts';

const MARKS: Record<StepState, string> = {
  waiting: 'not yet',
  checking: 'checking',
  retrying: '**retrying**',
  needs_you: '**needs a person**',
  done: 'done',
};

/** What Temporal UI shows of an onboarding, in Markdown: each step, what is in the way, and what to do. */
export function currentDetails(state: CarriedOnboarding): string {
  return [
    `**${state.state.replace('_', ' ')}** since ${state.since}`,
    state.steps.map(line).join('\n'),
    ...(state.cancel ? [`Cancelled by **${inline(state.cancel.by)}**: ${inline(state.cancel.reason)}`] : []),
    ...(state.problem ? [said(state.problem)] : []),
  ].join('\n\n');
}

function line(step: StepStatus): string {
  const head = `- ${step.name}: ${MARKS[step.state]} since ${step.since}`;
  if (!step.problem || step.state === 'done') return head;
  const next = step.nextTryAt ? ` Next try at ${step.nextTryAt}.` : '';
  const reminder = step.reminder ? ` ${said(step.reminder)}` : '';
  const problems = [step.problem, ...step.furtherProblems].map(said).join(' ');
  return `${head}, stuck since ${step.stuckSince ?? step.since}, ${step.attempts} tries. ${problems}${next}${reminder}`;
}

const said = (it: Problem): string => `${sentence(it)} To do: ${remedy(it)}`;
