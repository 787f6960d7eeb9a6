import type { CarriedOnboarding, StepName, StepStatus } from '../../contracts/onboarding.ts';

export function untried(name: StepName, at: string): StepStatus {
  return {
    name,
    state: 'waiting',
    since: at,
    stuckSince: null,
    attempts: 0,
    problem: null,
    furtherProblems: [],
    notices: [],
    reminder: null,
    evidence: [],
    nextTryAt: null,
  };
}

/** What a step that got through has no more. */
export const DONE = {
  state: 'done',
  stuckSince: null,
  problem: null,
  furtherProblems: [],
  reminder: null,
  nextTryAt: null,
} as const;

export function stepOf(state: CarriedOnboarding, name: StepName): StepStatus {
  const found = state.steps.find((step) => step.name === name);
  if (!found) throw new RangeError(`There is no step ${name}.`);
  return found;
}

/** The first step that is not done; null when all are. */
export function currentStep(state: CarriedOnboarding): StepName | null {
  return state.steps.find((step) => step.state !== 'done')?.name ?? null;
}

/** `since` begins anew only when the state changes. */
export function withStep(
  state: CarriedOnboarding,
  name: StepName,
  change: Partial<StepStatus>,
  at: string,
): CarriedOnboarding {
  const steps = state.steps.map((step) => {
    if (step.name !== name) return step;
    const same = change.state === undefined || change.state === step.state;
    return { ...step, ...change, since: same ? step.since : at };
  });
  return { ...state, steps };
}
