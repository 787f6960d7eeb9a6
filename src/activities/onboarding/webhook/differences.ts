import { WEBHOOK_KEY_HEADER } from '../../../contracts/onboarding.ts';
import { type Problem, problem } from '../../../contracts/problems.ts';
import { LEGACY_EVENT, MERGE_EVENT } from '../../../gladly/events.ts';
import type { Webhook } from '../../../gladly/schemas.ts';
import { ALL_EVENTS, CREATED_EVENTS, REQUIRED_EVENTS } from './wanted.ts';

export interface Differences {
  /** To be corrected, in the order of the form in Gladly. */
  readonly problems: readonly Problem[];
  readonly notices: readonly Problem[];
}

/** Everything but the URL in which the webhook is not as it should be. */
export function differences(webhook: Webhook, legacyOffered: boolean): Differences {
  const events = new Set(webhook.events ?? []);
  const missing = (legacyOffered ? ALL_EVENTS : REQUIRED_EVENTS).filter((it) => !events.has(it));
  const extra = [...events].filter((it) => !CREATED_EVENTS.includes(it));
  return {
    problems: [
      ...(missing.length > 0 ? [problem('webhook_events_missing', { events: missing.join(', ') })] : []),
      ...(hasKeyHeader(webhook) ? [] : [problem('webhook_header_missing', { header: WEBHOOK_KEY_HEADER })]),
      ...offProblem(webhook),
    ],
    notices: [
      ...(extra.length > 0 ? [problem('webhook_events_extra', { events: extra.join(', ') })] : []),
      ...(legacyOffered || events.has(LEGACY_EVENT) ? [] : [problem('message_received_not_offered')]),
      ...(events.has(MERGE_EVENT) ? [] : [problem('customer_merged_missing')]),
    ],
  };
}

/** Names of HTTP headers are the same in capitals. Values cannot be read back: whether the key is right, only a delivery tells. */
export function hasKeyHeader({ headerKeys }: Webhook): boolean {
  return (headerKeys ?? []).some((it) => it.toLowerCase() === WEBHOOK_KEY_HEADER);
}

function offProblem({ enabled, disabledAtDueToRetryLimit }: Webhook): Problem[] {
  if (enabled === true) return [];
  return disabledAtDueToRetryLimit === undefined
    ? [problem('webhook_disabled')]
    : [problem('webhook_switched_off', { at: disabledAtDueToRetryLimit })];
}

/**
 * MESSAGE/RECEIVED is in no list of Gladly's that is published today (gladly.md 1.2), and cannot be asked for without subscribing to
 * it. An organization in which a webhook has it is offered it.
 */
export const legacyIsOffered = (webhooks: readonly Webhook[]): boolean =>
  webhooks.some((it) => it.events?.includes(LEGACY_EVENT));
