import type { CarriedOnboarding, StepState, StepStatus } from '../../contracts/onboarding.ts';
import { type Problem, problemRemedy, problemSentence } from '../../contracts/problems.ts';

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

const said = (problem: Problem): string => inline(`${problemSentence(problem)} To do: ${problemRemedy(problem)}`);

/** Some of it was typed by a person: it stays text. */
function inline(text: string): string {
  return text.replaceAll(/[`*[\]<>\\#|\r\n]/g, ' ');
}
