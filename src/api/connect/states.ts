import type { OnboardingStatus, StepName, StepStatus } from '../../contracts/onboarding.ts';
import { problemSentence } from '../../contracts/problems.ts';
import type { StepView } from './card.ts';

/** How each of the three steps stands, and the one sentence that says where all of it stands. */
export interface States {
  readonly user: StepView;
  readonly credentials: StepView;
  readonly webhook: StepView;
  readonly now: string;
}

const STEP_2: readonly StepName[] = ['provision', 'domain', 'token', 'roles'];
const STEP_3: readonly StepName[] = ['webhook', 'proof', 'extraction'];

const DOING: Readonly<Record<StepName, string>> = {
  provision: 'We are making a place for your events.',
  credentials: 'Begin with step 1. If you have a user and its token already, go on with step 2.',
  domain: 'We are looking for your Gladly.',
  token: 'We are checking the email address and the token.',
  roles: 'We are checking the roles of the user.',
  webhook: 'We are checking the webhook.',
  proof: 'We are waiting for Gladly’s test call.',
  extraction: 'We are starting to read your conversations.',
};

export function statesOf(onboarding: OnboardingStatus): States {
  const credentials = onboarding.credentialsVersion === 0 ? 'todo' : viewOf(onboarding, STEP_2);
  const webhook = credentials === 'done' ? webhookView(onboarding) : 'later';
  return { user: userView(onboarding), credentials, webhook, now: sentence(onboarding, webhook) };
}

/**
 * Nothing was made in Gladly yet, and it was neither asked for nor reported as made: this is not an error. After the first look
 * the customer has pressed something, or has been away for long, and is told what is missing.
 */
export function isWebhookUntouched(onboarding: OnboardingStatus): boolean {
  const step = stepOf(onboarding, 'webhook');
  if (onboarding.webhookSetup !== 'by_hand' || step === undefined) return false;
  if (step.attempts === 0) return true;
  return step.attempts === 1 && step.state === 'needs_you' && step.problem?.code === 'webhook_missing';
}

export const stepOf = (onboarding: OnboardingStatus, name: StepName): StepStatus | undefined =>
  onboarding.steps.find((step) => step.name === name);

function userView(onboarding: OnboardingStatus): StepView {
  if (onboarding.credentialsVersion === 0) return 'todo';
  const [token, roles] = [stepOf(onboarding, 'token'), stepOf(onboarding, 'roles')];
  if (roles?.state === 'done') return 'done';
  // What is wrong with the token is shown in step 2; here it is the user that something is wrong with.
  const wrong =
    roles?.state === 'needs_you' || (token?.state === 'needs_you' && token.problem?.code === 'user_not_found');
  return wrong ? 'needs_you' : token?.state === 'needs_you' ? 'todo' : 'checking';
}

function webhookView(onboarding: OnboardingStatus): StepView {
  return isWebhookUntouched(onboarding) ? 'todo' : viewOf(onboarding, STEP_3);
}

function viewOf(onboarding: OnboardingStatus, names: readonly StepName[]): StepView {
  const states = names.map((name) => stepOf(onboarding, name)?.state);
  if (states.every((state) => state === 'done')) return 'done';
  return states.includes('needs_you') ? 'needs_you' : 'checking';
}

function sentence(onboarding: OnboardingStatus, webhook: StepView): string {
  const { step: name } = onboarding;
  if (name === null) return 'All three steps are done.';
  if (webhook === 'todo') return 'Steps 1 and 2 are done. What is left is the webhook.';
  const step = stepOf(onboarding, name);
  if (!step?.problem || name === 'credentials') return DOING[name];
  const said = problemSentence(step.problem);
  return step.state === 'needs_you' ? `This needs you: ${said}` : `We are trying again by ourselves: ${said}`;
}
