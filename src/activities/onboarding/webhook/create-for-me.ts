import { type StepResult, WEBHOOK_KEY_HEADER } from '../../../contracts/onboarding.ts';
import { problem } from '../../../contracts/problems.ts';
import type { WebhookInput } from '../../../gladly/client.ts';
import { GladlyError } from '../../../gladly/errors.ts';
import { LEGACY_EVENT } from '../../../gladly/events.ts';
import type { Webhook } from '../../../gladly/schemas.ts';
import { updateTenant } from '../../../store/tenants.ts';
import { revokeWebhookKey } from '../../../store/webhook-keys.ts';
import { done, needsYou, retry } from '../results.ts';
import { differences } from './differences.ts';
import { findWebhook } from './find.ts';
import { freshKey, keyEvidence, keyWorks } from './keys.ts';
import { CREATED_EVENTS, MOST_WEBHOOKS } from './wanted.ts';
import { listWebhooks, type WebhookWork } from './work.ts';

/**
 * Creates the webhook, or corrects the one that has our URL already. Each try begins with what is there, so that a try cut off anywhere
 * leaves no second webhook, and no second key once a delivery was seen.
 */
export async function createForMe(work: WebhookWork): Promise<StepResult> {
  const { asked, wanted } = work;
  const webhooks = await listWebhooks(work);
  const found = findWebhook(webhooks, wanted);
  const ours = found.kind === 'ours' || found.kind === 'not_https' ? found.webhook : null;
  if (ours === null && webhooks.length >= MOST_WEBHOOKS)
    return needsYou([problem('webhook_limit_reached', { limit: MOST_WEBHOOKS })], asked.evidence);
  try {
    return ours ? await adopt(work, ours) : await create(work);
  } catch (error) {
    if (!(error instanceof GladlyError && error.kind === 'bad_request')) throw error;
    // Gladly refuses a webhook whose PING got no 200 from us: we, or the way to us, were out, and that heals. Or another try has
    // made it at the same moment, and the next one adopts it.
    return retry(problem('webhook_not_saved'), asked.evidence);
  }
}

async function create(work: WebhookWork): Promise<StepResult> {
  const { deps, tenantId, client, wanted, asked } = work;
  const saved = await withFreshKey(work, (headers) =>
    withLegacyEvent(CREATED_EVENTS, (events) =>
      asked.ask(
        'POST /api/v1/webhooks',
        // Not cancellable: it would be unknown whether the webhook was created.
        () => client.createWebhook({ name: wanted.name, url: wanted.url, events, headers, enabled: true }),
        () => `201: created with ${events.length} events, enabled`,
      ),
    ),
  );
  await updateTenant(deps.db, tenantId, { webhookId: saved.answer.id });
  return done(asked.evidence, saved.legacy ? [] : [problem('message_received_not_offered')]);
}

/** Brings the webhook to what it should be. What is right already is not touched. */
async function adopt(work: WebhookWork, webhook: Webhook): Promise<StepResult> {
  const { deps, tenantId, client, asked, signal } = work;
  if (webhook.disabledAtDueToRetryLimit !== undefined && webhook.enabled !== true)
    asked.note('Was it on?', `no: Gladly had switched it off at ${webhook.disabledAtDueToRetryLimit}`);
  const change = changeFor(work, webhook);
  if (!work.renewKey && keyWorks(webhook, await keyEvidence(deps, tenantId))) await save(change);
  else await withFreshKey(work, (headers) => save({ ...change, headers }));

  // Whatever was asked for: what counts is what Gladly shows now.
  const { value: now } = await client.getWebhook(webhook.id, signal);
  await updateTenant(deps.db, tenantId, { webhookId: webhook.id });
  const { problems, notices } = differences(now, false);
  const [first, ...further] = problems;
  if (first) return needsYou([first, ...further], asked.evidence, notices);
  asked.note('Is the webhook as it should be?', 'yes: URL, events and header are right, and it is enabled');
  return done(asked.evidence, notices);

  async function save(change: Partial<WebhookInput>): Promise<void> {
    if (Object.keys(change).length === 0) return;
    const patch = (whole: Partial<WebhookInput>) =>
      asked.ask(
        'PATCH /api/v1/webhooks/{id}',
        () => client.updateWebhook(webhook.id, whole),
        () => `204: adopted the webhook that was there, and set its ${Object.keys(whole).join(', ')}`,
      );
    if (change.events) await withLegacyEvent(change.events, (events) => patch({ ...change, events }));
    else await patch(change);
  }
}

/** All but the key in which it is not as it should be. */
function changeFor({ wanted }: WebhookWork, webhook: Webhook): Partial<WebhookInput> {
  const events = new Set(webhook.events ?? []);
  // One that we made was offered the legacy event at the time.
  const needed = webhook.name === wanted.name ? CREATED_EVENTS.filter((it) => it !== LEGACY_EVENT) : CREATED_EVENTS;
  const complete = needed.every((it) => events.has(it));
  return {
    ...(webhook.url === wanted.url ? {} : { url: wanted.url }),
    // What else the customer wants to be sent stays.
    ...(complete ? {} : { events: [...new Set([...events, ...CREATED_EVENTS])] }),
    ...(webhook.enabled === true ? {} : { enabled: true }),
  };
}

/** With a key that is only in the header it is given to. When Gladly says that it did not save it, the key ends at once. */
async function withFreshKey<T>(
  { deps, tenantId }: WebhookWork,
  save: (headers: Readonly<Record<string, string>>) => Promise<T>,
): Promise<T> {
  const { keyId, key } = await freshKey(deps, tenantId);
  try {
    return await save({ [WEBHOOK_KEY_HEADER]: key });
  } catch (error) {
    if (error instanceof GladlyError && error.kind === 'bad_request') await revokeWebhookKey(deps.db, tenantId, keyId);
    throw error;
  }
}

/**
 * Once with the legacy event, and when Gladly refuses, once without: nothing else tells whether it is offered, and how Gladly words that it is not
 * is not known.
 */
async function withLegacyEvent<T>(
  events: readonly string[],
  save: (events: readonly string[]) => Promise<T>,
): Promise<{ readonly answer: T; readonly legacy: boolean }> {
  try {
    return { answer: await save(events), legacy: events.includes(LEGACY_EVENT) };
  } catch (error) {
    if (!(error instanceof GladlyError && error.kind === 'bad_request' && events.includes(LEGACY_EVENT))) throw error;
    return { answer: await save(events.filter((it) => it !== LEGACY_EVENT)), legacy: false };
  }
}
