import type { OnboardingActivities } from '../../contracts/onboarding.ts';
import { recordOnboarding } from '../../tenants/projection.ts';
import { checkDomain } from './check-domain.ts';
import { checkProof } from './check-proof.ts';
import { checkRoles } from './check-roles.ts';
import { checkToken } from './check-token.ts';
import { checkWebhook } from './check-webhook.ts';
import type { OnboardingPorts } from './ports.ts';
import { provision } from './provision.ts';
import { removeTraces } from './remove-traces.ts';
import { beating } from './running.ts';
import { startExtraction } from './start-extraction.ts';

export function createOnboardingActivities(ports: OnboardingPorts): OnboardingActivities {
  return {
    provision: beating(provision(ports)),
    checkDomain: beating(checkDomain(ports)),
    checkToken: beating(checkToken(ports)),
    checkRoles: beating(checkRoles(ports)),
    checkWebhook: beating(checkWebhook(ports)),
    checkProof: beating(checkProof(ports)),
    startExtraction: beating(startExtraction(ports)),
    removeTraces: beating(removeTraces(ports)),
    recordOnboarding: (projection) => recordOnboarding(ports.db, projection),
  };
}
