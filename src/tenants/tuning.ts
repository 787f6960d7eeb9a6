import type { Config } from '../config.ts';
import type { ExtractionTuning, Request } from '../contracts/extraction.ts';
import type { OnboardingInput, OnboardingTuning, OnboardingTunings } from '../contracts/onboarding.ts';
import type { Tenant } from '../store/tenants.ts';

/** The workflows cannot read the environment: what they are to keep to is part of their input, and the sweep tells them when it was changed. */
export const tuningsOf = (config: Config): OnboardingTunings => ({
  own: onboardingTuning(config),
  extraction: extractionTuning(config),
});

/** What a tenant's onboarding begins with; what an earlier one knew it finds in the store. */
export const onboardingInput = (
  { tenantId, retentionDays, webhookSetup }: Pick<Tenant, 'tenantId' | 'retentionDays' | 'webhookSetup'>,
  { own, extraction }: OnboardingTunings,
  startPaused: Request | null,
): OnboardingInput => ({
  version: 1,
  tenantId,
  retentionDays,
  webhookSetup,
  startPaused,
  tuning: own,
  extractionTuning: extraction,
});

function extractionTuning(config: Config): ExtractionTuning {
  return {
    parkedLookMs: config.PARKED_LOOK_MS,
    gladlyWaitMs: config.GLADLY_WAIT_MS,
    gladlyWaitMaxMs: config.GLADLY_WAIT_MAX_MS,
    attentionLookMs: config.ATTENTION_LOOK_MS,
    continueAsNewAfter: config.CONTINUE_AS_NEW_AFTER,
    consoleUrl: `${config.PUBLIC_URL}/console/tenants`,
  };
}

function onboardingTuning(config: Config): OnboardingTuning {
  return {
    retryMs: config.ONBOARDING_RETRY_MS,
    retryMaxMs: config.ONBOARDING_RETRY_MAX_MS,
    recheckMs: config.ONBOARDING_RECHECK_MS,
    proofLookMs: config.PROOF_LOOK_MS,
    overdueMs: config.ONBOARDING_OVERDUE_MS,
    continueAsNewAfter: config.CONTINUE_AS_NEW_AFTER,
  };
}
