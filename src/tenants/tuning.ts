import type { Config } from '../config.ts';
import type { ExtractionTuning } from '../contracts/extraction.ts';
import type { OnboardingTuning } from '../contracts/onboarding.ts';

/** The workflows cannot read the environment; what they are to keep to is part of their input. */
export function extractionTuning(config: Config): ExtractionTuning {
  return {
    parkedLookMs: config.PARKED_LOOK_MS,
    gladlyWaitMs: config.GLADLY_WAIT_MS,
    gladlyWaitMaxMs: config.GLADLY_WAIT_MAX_MS,
    attentionLookMs: config.ATTENTION_LOOK_MS,
    continueAsNewAfter: config.CONTINUE_AS_NEW_AFTER,
    consoleUrl: `${config.PUBLIC_URL}/console/tenants`,
  };
}

export function onboardingTuning(config: Config): OnboardingTuning {
  return {
    retryMs: config.ONBOARDING_RETRY_MS,
    retryMaxMs: config.ONBOARDING_RETRY_MAX_MS,
    recheckMs: config.ONBOARDING_RECHECK_MS,
    proofLookMs: config.PROOF_LOOK_MS,
    overdueMs: config.ONBOARDING_OVERDUE_MS,
    continueAsNewAfter: config.CONTINUE_AS_NEW_AFTER,
  };
}
