import type { OnboardingActivities } from '../../contracts/onboarding.ts';
import { recordOnboarding } from '../../tenants/projection.ts';
import { checkDomain } from './check-domain.ts';
import { checkProof } from './check-proof.ts';
import { checkRoles } from './check-roles.ts';
import { checkToken } from './check-token.ts';
import { checkWebhook } from './check-webhook.ts';
import type { OnboardingDeps } from './deps.ts';
import { provision } from './provision.ts';
import { removeTraces } from './remove-traces.ts';
import { beating } from './running.ts';
import { startExtraction } from './start-extraction.ts';

export function createOnboardingActivities(deps: OnboardingDeps): OnboardingActivities {
  return {
    provision: beating(provision(deps)),
    checkDomain: beating(checkDomain(deps)),
    checkToken: beating(checkToken(deps)),
    checkRoles: beating(checkRoles(deps)),
    checkWebhook: beating(checkWebhook(deps)),
    checkProof: beating(checkProof(deps)),
    startExtraction: beating(startExtraction(deps)),
    removeTraces: beating(removeTraces(deps)),
    recordOnboarding: (projection) => recordOnboarding(deps.db, projection),
  };
}
