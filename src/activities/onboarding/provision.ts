import type { OnboardingActivities, StepResult } from '../../contracts/onboarding.ts';
import { getTenant, updateTenant } from '../../store/tenants.ts';
import { recordQueue } from '../../tenants/findings.ts';
import { queueProblem } from '../../tenants/queue-problem.ts';
import type { OnboardingDeps } from './deps.ts';
import { questions } from './evidence.ts';
import { done, resultOf, retry } from './results.ts';

type ProvisionInput = Parameters<OnboardingActivities['provision']>[0];

/** A queue that was deleted is gone for good after 60 s. Tried again this soon, in ms, it costs one call of SQS. */
const DELETED_RETRY_MS = 10_000;

/** The tenant's queue and its dead-letter queue. */
export function provision({ queues, db, now }: Pick<OnboardingDeps, 'queues' | 'db' | 'now'>) {
  return async ({ tenantId, retentionDays: asked }: ProvisionInput): Promise<StepResult> => {
    const looked = questions(now);
    try {
      // As it is now: the workflow's input is of the day on which it was started, and a reset repeats it.
      const retentionDays = (await getTenant(db, tenantId))?.retentionDays ?? asked;
      const urls = await queues.provision(tenantId, retentionDays).catch((error: unknown) => queueProblem(error));
      if ('problem' in urls) {
        looked.note('SQS: two queues', urls.evidence);
        return retry(
          urls.problem,
          looked.evidence,
          urls.problem.code === 'queue_deleted_recently' ? DELETED_RETRY_MS : null,
        );
      }
      await updateTenant(db, tenantId, { queueUrl: urls.queue, deadLetterQueueUrl: urls.dead });
      await recordQueue(db, tenantId, null);
      looked.note('SQS: two queues', `there; events are kept ${retentionDays} days`);
      return done(looked.evidence);
    } catch (error) {
      return resultOf(error, looked);
    }
  };
}
