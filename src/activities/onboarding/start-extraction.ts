import type { ExtractionInput } from '../../contracts/extraction.ts';
import type { OnboardingActivities, StepResult } from '../../contracts/onboarding.ts';
import { readTenantFacts } from '../../store/tenant-states.ts';
import { changeTenant } from '../../tenants/projection.ts';
import type { OnboardingDeps } from './deps.ts';
import { questions } from './evidence.ts';
import { done, resultOf } from './results.ts';

type StartExtractionInput = Parameters<OnboardingActivities['startExtraction']>[0];

/**
 * Starts extraction, or tells the one that runs that the credentials work. It begins paused when that was asked for, or when the tenant was paused
 * as its extraction was last heard of: one that is started anew, for whatever reason, takes back no pause.
 */
export function startExtraction({ workflows, db, now }: OnboardingDeps) {
  return async ({ tenantId, pause: asked, tuning }: StartExtractionInput): Promise<StepResult> => {
    const found = questions(now);
    try {
      const { tenant, extraction: last = null } = (await readTenantFacts(db, tenantId)) ?? {};
      // One that has ended, of a tenant that is still connected: its disconnect was called off.
      const isFirst = last === null || (last.phase === 'disconnected' && tenant?.state !== 'connected');
      const pause: ExtractionInput['pause'] | null = isFirst ? asked : last.pause;
      await workflows.startExtraction({ version: 1, tenantId, tuning, ...(pause ? { pause } : {}) });
      await changeTenant(db, tenantId, { state: 'connected' });
      found.note('Extraction', pause ? 'started, paused until told' : 'running');
      return done(found.evidence);
    } catch (error) {
      return resultOf(error, found);
    }
  };
}
