import type { OnboardingActivities, StepResult } from '../../contracts/onboarding.ts';
import { problem } from '../../contracts/problems.ts';
import { failureFrom } from '../../queue/errors.ts';
import { updateTenant } from '../../store/tenants.ts';
import type { OnboardingDeps } from './deps.ts';
import { questions } from './evidence.ts';
import { done, resultOf, retry } from './results.ts';

type ProvisionInput = Parameters<OnboardingActivities['provision']>[0];

/** The tenant's queue and its dead-letter queue. */
export function provision({ queues, db, now }: OnboardingDeps) {
  return async ({ tenantId, retentionDays }: ProvisionInput): Promise<StepResult> => {
    const asked = questions(now);
    const urls = await queues.provision(tenantId, retentionDays).catch((error: unknown) => failureFrom(error));
    if ('kind' in urls) {
      asked.note('SQS: two queues', `${urls.kind}: ${urls.code}`);
      return retry(problem('queue_unavailable'), asked.evidence);
    }
    try {
      await updateTenant(db, tenantId, { queueUrl: urls.queue, deadLetterQueueUrl: urls.dead });
      asked.note('SQS: two queues', `there; events are kept ${retentionDays} days`);
      return done(asked.evidence);
    } catch (error) {
      return resultOf(error, asked);
    }
  };
}
