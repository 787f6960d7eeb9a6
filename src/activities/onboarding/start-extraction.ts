import type { OnboardingActivities, StepResult } from '../../contracts/onboarding.ts';
import { updateTenant } from '../../store/tenants.ts';
import { questions } from './evidence.ts';
import type { OnboardingPorts } from './ports.ts';
import { done, resultOf } from './results.ts';

type StartExtractionInput = Parameters<OnboardingActivities['startExtraction']>[0];

/** Starts extraction in the state that was asked for, or tells the one that runs that the credentials work. */
export function startExtraction({ extraction, db, now }: OnboardingPorts) {
  return async ({ tenantId, pause, tuning }: StartExtractionInput): Promise<StepResult> => {
    const asked = questions(now);
    try {
      await extraction.startOrTell(tenantId, { pause, tuning });
      await updateTenant(db, tenantId, { state: 'connected' });
      asked.note('Extraction', pause ? 'started, paused until told' : 'running');
      return done(asked.evidence);
    } catch (error) {
      return resultOf(error, asked);
    }
  };
}
