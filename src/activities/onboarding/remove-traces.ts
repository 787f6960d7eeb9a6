import type { OnboardingActivities, StepResult } from '../../contracts/onboarding.ts';
import { problem } from '../../contracts/problems.ts';
import { DecryptionError } from '../../crypto/aead.ts';
import { GladlyError } from '../../gladly/errors.ts';
import type { QueueUrls } from '../../queue/names.ts';
import { type Depths, totalOf } from '../../queue/provision.ts';
import { deleteCredentials } from '../../store/credentials.ts';
import { eventCounts } from '../../store/ledger/counters.ts';
import { getTenant, type Tenant } from '../../store/tenants.ts';
import { revokeWebhookKeys } from '../../store/webhook-keys.ts';
import { withdrawFindings } from '../../tenants/findings.ts';
import { changeTenant } from '../../tenants/projection.ts';
import { type QueueProblem, queueProblem } from '../../tenants/queue-problem.ts';
import type { OnboardingDeps } from './deps.ts';
import { type Questions, questions } from './evidence.ts';
import { openGladly } from './opening.ts';
import { done, needsYou, resultOf, retry } from './results.ts';
import { removeOurWebhook } from './webhook/remove.ts';
import { wantedWebhook } from './webhook/wanted.ts';

type RemoveInput = Parameters<OnboardingActivities['removeTraces']>[0];

/** A drain hands over within a second; Gladly may hold it for 15 s more. */
const EXTRACTION_ENDS_MS = 30_000;

/** SQS did not do what was asked. */
class QueueTrouble extends Error {
  override readonly name = 'QueueTrouble';
  readonly problem: QueueProblem;

  constructor(cause: unknown) {
    const { problem, evidence } = queueProblem(cause);
    super(`SQS: ${evidence}`);
    this.problem = problem;
  }
}

/**
 * Takes back what was made for the tenant, from the outside in: extraction, the webhook in Gladly, the queues, the keys. Nothing is
 * touched while events wait, unless they may be deleted: then what cannot be taken back any more is left as well.
 */
export function removeTraces(deps: OnboardingDeps) {
  const { db, queues, workflows, now } = deps;
  return async (input: RemoveInput, signal: AbortSignal): Promise<StepResult> => {
    const { tenantId, discardWaitingEvents: discard, request } = input;
    const asked = questions(now);
    try {
      const tenant = await getTenant(db, tenantId);
      if (!tenant) return done(asked.evidence);
      const urls = await sqs(() => queues.find(tenantId)).catch(unlessForeign);
      const waiting = await eventsWaiting(urls);
      if (waiting > 0 && !discard) return needsYou([problem('events_waiting', { count: waiting })], asked.evidence);
      signal.throwIfAborted();
      await workflows.endExtraction(tenantId, request, EXTRACTION_ENDS_MS);
      signal.throwIfAborted();
      const kept = await takeBackWebhook(tenant, asked);
      if (kept) return kept;
      signal.throwIfAborted();
      const removal = await sqs(() => queues.remove(tenantId, { discard })).catch(unlessForeign);
      if (removal === null) asked.note('Queues', 'tagged as somebody else’s, and left alone');
      else if (removal.kind === 'not_empty')
        return needsYou([problem('events_waiting', { count: total(removal.depths) })], asked.evidence);
      await revokeWebhookKeys(db, tenantId);
      await deleteCredentials(db, tenantId);
      await changeTenant(db, tenantId, {
        state: tenant.state === 'connected' ? 'disconnected' : 'cancelled',
        disconnectedAt: now(),
        queueUrl: null,
        deadLetterQueueUrl: null,
        webhookId: null,
        disconnectAsked: null,
      });
      await withdrawFindings(db, tenantId);
      asked.note('Queues, webhook keys, credentials', `removed, with ${waiting} events that waited`);
      return done(asked.evidence);
    } catch (error) {
      if (error instanceof QueueTrouble) return retry(error.problem, asked.evidence);
      return resultOf(error, asked);
    }

    async function eventsWaiting(urls: QueueUrls | null): Promise<number> {
      const [inLedger, inQueues] = await Promise.all([
        eventCounts(db, tenantId),
        urls ? sqs(() => queues.depths(urls)) : null,
      ]);
      return inLedger.waiting + (inQueues ? total(inQueues) : 0);
    }

    /** Null when no webhook of ours is left; else what is in the way. */
    async function takeBackWebhook(tenant: Tenant, asked: Questions): Promise<StepResult | null> {
      // The newest ones may be those that do not work.
      const credentialsVersion = tenant.adoptedCredentialsVersion ?? input.credentialsVersion;
      try {
        const opened = await openGladly(deps, { tenantId, credentialsVersion });
        if (!opened.ok) {
          asked.note('Our webhook in Gladly', 'there are no credentials to look with');
          return null;
        }
        const wanted = wantedWebhook(deps.publicUrl, tenantId);
        await removeOurWebhook({ deps, tenantId, client: opened.client, wanted, renewKey: false, asked, signal });
        return null;
      } catch (error) {
        // Of credentials whose key is lost nothing comes back: as little as of a Gladly that is gone.
        if (!(error instanceof GladlyError || error instanceof DecryptionError)) throw error;
        const isOurs = tenant.webhookSetup === 'create_for_me' && tenant.webhookId !== null;
        if (isOurs && !discard) return resultOf(error, asked);
        asked.note('Our webhook in Gladly', 'cannot be looked for any more; if there is one, delete it in Gladly');
        return null;
      }
    }
  };
}

async function sqs<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw new QueueTrouble(error);
  }
}

/** Null for a queue that is another tenant's, in spite of its name: nothing of ours is in it. */
function unlessForeign(error: unknown): null {
  if (error instanceof QueueTrouble && error.problem.code === 'queue_foreign') return null;
  throw error;
}

const total = ({ queue, dead }: Depths): number => totalOf(queue) + totalOf(dead);
