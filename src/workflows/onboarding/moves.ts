import type { CarriedOnboarding, OnboardingTuning, StepName, StepResult } from '../../contracts/onboarding.ts';
import { currentStep, stepOf } from './steps.ts';

export type NextMove =
  | { readonly move: 'try'; readonly step: StepName }
  | { readonly move: 'remove_traces'; readonly discardWaitingEvents: boolean }
  | { readonly move: 'wait' }
  | { readonly move: 'end' };

/** A step that a person leaves undone is reminded of after this long, unless the tuning says otherwise. */
const OVERDUE_MS = 3 * 86_400_000;

export function nextMove(state: CarriedOnboarding): NextMove {
  if (state.state === 'cancelled') return { move: 'end' };
  if (state.cancel) {
    return state.look
      ? { move: 'remove_traces', discardWaitingEvents: state.cancel.discardWaitingEvents }
      : { move: 'wait' };
  }
  const name = currentStep(state);
  // All done: what may still change is which events were seen.
  if (name === null) return state.look ? { move: 'try', step: 'proof' } : { move: 'wait' };
  if (name === 'credentials') return { move: 'wait' };
  const step = stepOf(state, name);
  const due = step.state === 'waiting' || step.state === 'checking' || state.look;
  return due ? { move: 'try', step: name } : { move: 'wait' };
}

/** What happens by itself next, and when (ISO time); null when only news from outside can change anything. */
export function nextByItself(
  state: CarriedOnboarding,
  tuning: OnboardingTuning,
): { readonly event: 'timeToLook' | 'timeToRemind'; readonly at: string } | null {
  if (state.cancel) return state.nextCancelTryAt === null ? null : { event: 'timeToLook', at: state.nextCancelTryAt };
  // All done: proof goes on being looked at until the first event was seen.
  const step = stepOf(state, currentStep(state) ?? 'proof');
  const look = step.nextTryAt === null ? null : { event: 'timeToLook' as const, at: step.nextTryAt };
  if (step.state !== 'needs_you' || step.stuckSince === null) return look;
  const from = Date.parse(step.reminder?.since ?? step.stuckSince);
  const remind = { event: 'timeToRemind' as const, at: iso(from + (tuning.overdueMs ?? OVERDUE_MS)) };
  return look && Date.parse(look.at) <= Date.parse(remind.at) ? look : remind;
}

/** Milliseconds until the next try by itself; null when none is needed. `attempts` counts it. */
export function nextTryMs(
  result: StepResult,
  step: StepName | 'cancel',
  attempts: number,
  tuning: OnboardingTuning,
): number | null {
  if (result.kind === 'done') return step === 'proof' && result.notices.length > 0 ? tuning.recheckMs : null;
  if (step === 'proof') return tuning.proofLookMs;
  if (result.kind === 'needs_you') return tuning.recheckMs;
  const backoff = Math.min(tuning.retryMs * 2 ** Math.min(attempts - 1, 20), tuning.retryMaxMs);
  return Math.max(backoff, result.retryAfterMs ?? 0);
}

const iso = (ms: number): string => new Date(ms).toISOString();
