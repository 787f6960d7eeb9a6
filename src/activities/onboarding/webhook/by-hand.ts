import { type StepResult, WEBHOOK_KEY_HEADER } from '../../../contracts/onboarding.ts';
import { type Problem, problem } from '../../../contracts/problems.ts';
import type { Webhook } from '../../../gladly/schemas.ts';
import { getTenant, updateTenant } from '../../../store/tenants.ts';
import { done, needsYou } from '../results.ts';
import { differences, legacyIsOffered } from './differences.ts';
import { type Found, findWebhook } from './find.ts';
import { keyEvidence, wrongKeyAgoMs } from './keys.ts';
import { MOST_WEBHOOKS } from './wanted.ts';
import { listWebhooks, type WebhookWork } from './work.ts';

/** Holds the webhook that the customer made against what it should be, and changes nothing. */
export async function compareByHand(work: WebhookWork): Promise<StepResult> {
  const { deps, tenantId, wanted, asked } = work;
  const webhooks = await listWebhooks(work);
  const found = findWebhook(await withoutOtherTenants(work, webhooks), wanted);
  if (found.kind === 'none') return needsYou(await nothingThere(work, webhooks), asked.evidence);
  const { problems, notices } = differences(found.webhook, legacyIsOffered(webhooks));
  const [first, ...further] = [...urlProblem(found, wanted.url), ...problems];
  if (first) {
    const key = await keyProblem(work, found.webhook);
    return needsYou(key ? [key, first, ...further] : [first, ...further], asked.evidence, notices);
  }
  await updateTenant(deps.db, tenantId, { webhookId: found.webhook.id });
  asked.note('Is the webhook as it should be?', 'yes: URL, events and header are right, and it is enabled');
  return done(asked.evidence, notices);
}

/**
 * Without the webhooks of other tenants of the same organization: those must not be removed. An address of ours
 * that belongs to no tenant stays: it was copied from the wrong page.
 */
async function withoutOtherTenants(
  { deps, wanted }: WebhookWork,
  webhooks: readonly Webhook[],
): Promise<readonly Webhook[]> {
  const prefix = wanted.url.slice(0, wanted.url.lastIndexOf('/') + 1);
  const kept: Webhook[] = [];
  for (const webhook of webhooks) {
    const named = webhook.url?.startsWith(prefix) === true ? webhook.url.slice(prefix.length) : null;
    const isAnothers =
      named !== null && webhook.url !== wanted.url && (await getTenant(deps.db, named))?.state === 'connected';
    if (!isAnothers) kept.push(webhook);
  }
  return kept;
}

/** Gladly saves neither a new address nor that the webhook is enabled when its PING is refused: the key is the first thing to put right. */
async function keyProblem({ deps, tenantId, asked }: WebhookWork, { enabled }: Webhook): Promise<Problem | null> {
  const now = deps.now();
  const agoMs = wrongKeyAgoMs(await keyEvidence(deps, tenantId), now);
  if (agoMs === null) return null;
  asked.note('Deliveries with a wrong key', `the last at ${new Date(now.getTime() - agoMs).toISOString()}`);
  return enabled === true
    ? problem('webhook_key_wrong', { header: WEBHOOK_KEY_HEADER })
    : problem('webhook_key_keeps_off', { header: WEBHOOK_KEY_HEADER, seconds: Math.round(agoMs / 1_000) });
}

/** Gladly does not save a webhook whose PING is refused, so a wrong key looks like no webhook at all. */
async function nothingThere(
  { deps, tenantId, wanted }: WebhookWork,
  webhooks: readonly Webhook[],
): Promise<readonly [Problem, ...Problem[]]> {
  const missing = problem('webhook_missing', { url: wanted.url });
  const evidence = await keyEvidence(deps, tenantId);
  const isWrong = evidence.wrongAt !== null && evidence.accepted.length === 0;
  if (isWrong || wrongKeyAgoMs(evidence, deps.now()) !== null)
    return [problem('webhook_key_wrong', { header: WEBHOOK_KEY_HEADER }), missing];
  return webhooks.length < MOST_WEBHOOKS
    ? [missing]
    : [problem('webhook_limit_reached', { limit: MOST_WEBHOOKS }), missing];
}

function urlProblem(found: Exclude<Found, { kind: 'none' }>, url: string): Problem[] {
  switch (found.kind) {
    case 'ours':
      return [];
    case 'not_https':
      return [problem('webhook_url_not_https', { url })];
    case 'elsewhere':
      return [problem('webhook_wrong_url', { found: found.shown, url })];
  }
}
