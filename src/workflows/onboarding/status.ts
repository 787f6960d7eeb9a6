import type { CarriedOnboarding, OnboardingStatus } from '../../contracts/onboarding.ts';
import { currentStep, stepOf } from './steps.ts';

/** What the query answers. */
export function statusOf(state: CarriedOnboarding): OnboardingStatus {
  const { since, steps, credentialsVersion, webhookSetup, problem, cancel, unknownSignals } = state;
  return {
    state: state.state,
    since,
    step: currentStep(state),
    steps,
    credentialsVersion,
    webhookSetup,
    problem,
    cancel,
    unknownSignals,
  };
}

/** What operators filter by: the step at hand, or how it ended, and the problem. Being checked is no state of its own here: it
 * would cost two history events a try. */
export function searchable(state: CarriedOnboarding): { readonly state: string; readonly problem: string | null } {
  const name = currentStep(state);
  if (state.state !== 'in_progress' || name === null)
    return { state: state.state, problem: state.problem?.code ?? null };
  return { state: name, problem: stepOf(state, name).problem?.code ?? null };
}
