import type { Clock } from '../clock.ts';
import type { Couriers } from '../delivery/couriers.ts';
import type { Pinger } from '../delivery/ping.ts';
import type { Settings } from '../settings.ts';
import type { Webhook, Webhooks } from '../store/webhooks.ts';
import { type Answer, type ApiError, empty, errors, json } from './answer.ts';
import { notFound } from './directory.ts';
import { parseJson } from './reports.ts';
import type { Route } from './router.ts';
import { readWebhookChange, type WebhookChange, type WebhookRules } from './webhook-rules.ts';

/** gladly.md 1.3 */
export const MOST_WEBHOOKS = 20;

export type WebhookParts = {
  webhooks: Webhooks;
  couriers: Couriers;
  pinger: Pinger;
  clock: Clock;
  settings: Settings;
  allowHttp: boolean;
  newId: () => string;
};

/** The management API of webhooks (gladly.md 1.4). */
export function webhookRoutes(parts: WebhookParts): Route[] {
  const { webhooks } = parts;
  const path = '/api/v1/webhooks/:id';
  return [
    { method: 'GET', path: '/api/v1/webhooks', handle: () => json(200, webhooks.list().map(toPublic)) },
    { method: 'POST', path: '/api/v1/webhooks', handle: ({ body }) => create(parts, body) },
    {
      method: 'GET',
      path,
      handle: ({ params: { id = '' } }) => {
        const webhook = webhooks.get(id);
        return webhook === undefined ? notFound('webhook', id) : json(200, toPublic(webhook));
      },
    },
    { method: 'PATCH', path, handle: ({ params: { id = '' }, body }) => update(parts, id, body) },
    { method: 'DELETE', path, handle: ({ params: { id = '' } }) => remove(parts, id) },
  ];
}

/** Credentials and header values are write-only. */
export function toPublic({ credentials, headers, ...webhook }: Webhook): unknown {
  return { ...webhook, hasCredentials: credentials !== undefined, headerKeys: Object.keys(headers) };
}

function rulesOf({ allowHttp, settings }: WebhookParts): WebhookRules {
  return { allowHttp, legacyEvents: settings.legacyEvents };
}

async function create(parts: WebhookParts, body: string): Promise<Answer> {
  const { webhooks, clock, newId } = parts;
  const { change, problems } = readWebhookChange(parseJson(body), rulesOf(parts));
  const { url, events, credentials, name, headers = {}, enabled = false } = change;
  for (const [attr, value] of Object.entries({ url, events })) {
    const reported = problems.some((problem) => problem.attr === attr || problem.attr === undefined);
    if (value === undefined && !reported) problems.push({ attr, code: 'blank', detail: `${attr} must be specified` });
  }
  if (url === undefined || events === undefined || problems.length > 0) return errors(400, ...problems);
  const refusal = (): ApiError | undefined => tooMany(webhooks) ?? taken(webhooks, url);
  const refused = refusal();
  if (refused !== undefined) return errors(400, refused);

  const now = new Date(clock.now()).toISOString();
  const webhook: Webhook = {
    id: newId(),
    ...(name === undefined ? {} : { name }),
    events,
    url,
    ...(credentials ? { credentials } : {}),
    headers,
    enabled,
    createdAt: now,
    updatedAt: now,
  };
  if (enabled && !(await parts.pinger.ping(webhook))) return errors(400, pingFailed());
  const refusedMeanwhile = refusal();
  if (refusedMeanwhile !== undefined) return errors(400, refusedMeanwhile);
  webhooks.save(webhook);
  return empty(201, { location: `/api/v1/webhooks/${webhook.id}` });
}

async function update(parts: WebhookParts, id: string, body: string): Promise<Answer> {
  const { webhooks, clock, couriers } = parts;
  const webhook = webhooks.get(id);
  if (webhook === undefined) return notFound('webhook', id);
  const { change, problems } = readWebhookChange(parseJson(body), rulesOf(parts));
  const conflict = change.url === undefined ? undefined : taken(webhooks, change.url, id);
  if (conflict !== undefined) problems.push(conflict);
  if (problems.length > 0) return errors(400, ...problems);

  const now = new Date(clock.now()).toISOString();
  const wanted = apply(webhook, change, now);
  const mustAnswerPing = (wanted.enabled && !webhook.enabled) || wanted.url !== webhook.url;
  if (mustAnswerPing && !(await parts.pinger.ping(wanted))) return errors(400, pingFailed());
  // It may have been changed or deleted while the PING was under way.
  const current = webhooks.get(id);
  if (current === undefined) return notFound('webhook', id);
  const changed = apply(current, change, now);
  webhooks.save(changed);
  if (!changed.enabled) couriers.forget(id);
  return empty(204);
}

function apply(webhook: Webhook, change: WebhookChange, now: string): Webhook {
  const { credentials, disabledAtDueToRetryLimit, ...rest } = webhook;
  const { credentials: newCredentials, ...others } = change;
  const kept = newCredentials === undefined ? credentials : (newCredentials ?? undefined);
  const enabled = change.enabled ?? webhook.enabled;
  return {
    ...rest,
    ...others,
    ...(kept === undefined ? {} : { credentials: kept }),
    // Being enabled again ends the deactivation.
    ...(enabled || disabledAtDueToRetryLimit === undefined ? {} : { disabledAtDueToRetryLimit }),
    enabled,
    updatedAt: now,
  };
}

function remove({ webhooks, couriers }: WebhookParts, id: string): Answer {
  const webhook = webhooks.get(id);
  if (webhook === undefined) return notFound('webhook', id);
  if (webhook.enabled) {
    return errors(400, { attr: 'enabled', code: 'invalid_state', detail: 'Webhook must be disabled to be deleted' });
  }
  couriers.forget(id);
  webhooks.remove(id);
  return empty(204);
}

function tooMany(webhooks: Webhooks): ApiError | undefined {
  if (webhooks.list().length < MOST_WEBHOOKS) return undefined;
  return { code: 'invalid', detail: `You are limited to ${MOST_WEBHOOKS} webhooks for your organization` };
}

function taken(webhooks: Webhooks, url: string, except?: string): ApiError | undefined {
  if (!webhooks.list().some((other) => other.url === url && other.id !== except)) return undefined;
  return { attr: 'url', code: 'taken', detail: 'url must be unique across all webhooks' };
}

/** What Gladly answers then is not documented (gladly.md 1.4), only that the change does not succeed. */
function pingFailed(): ApiError {
  return { attr: 'url', code: 'invalid', detail: 'url did not answer the ping with 200' };
}
