import type { Evidence, StepResult } from '../../contracts/onboarding.ts';
import { type Problem, problem } from '../../contracts/problems.ts';
import { DecryptionError } from '../../crypto/aead.ts';
import { GladlyError } from '../../gladly/errors.ts';
import { isTransient } from '../../store/errors.ts';
import type { Questions } from './evidence.ts';

export const done = (evidence: readonly Evidence[], notices: readonly Problem[] = []): StepResult => ({
  kind: 'done',
  evidence,
  notices,
});

/** The first problem is the first to resolve. */
export function needsYou(
  [first, ...further]: readonly [Problem, ...Problem[]],
  evidence: readonly Evidence[],
  notices: readonly Problem[] = [],
): StepResult {
  return { kind: 'needs_you', problem: first, further, notices, evidence };
}

export const retry = (it: Problem, evidence: readonly Evidence[], retryAfterMs: number | null = null): StepResult => ({
  kind: 'retry',
  problem: it,
  evidence,
  retryAfterMs,
});

/** What a failed question means for the step. Anything but an answer of Gladly's or a retryable failure is rethrown: a defect of ours. */
export function resultOf(error: unknown, { evidence }: Questions): StepResult {
  if (error instanceof GladlyError) {
    const { failure } = error;
    if (!error.retryable) return needsYou([error.problem], evidence);
    return retry(error.problem, evidence, failure.kind === 'rate_limited' ? failure.retryAfterMs : null);
  }
  if (error instanceof DecryptionError) return needsYou([problem('credentials_unreadable')], evidence);
  if (isTransient(error)) return retry(problem('store_unavailable'), evidence);
  throw error;
}
