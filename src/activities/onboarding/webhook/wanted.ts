import { type TenantId, webhookUrl } from '../../../contracts/tenant.ts';
import { LEGACY_EVENT, MERGE_EVENT, SUBSCRIBED_EVENTS } from '../../../gladly/events.ts';

/** What the webhook in Gladly should be. */
export interface Wanted {
  readonly url: string;
  /** Name of a webhook that we create. It tells ours from the customer's. */
  readonly name: string;
}

/** The ten events without the legacy one: all of them are in Gladly's own list (gladly.md 1.4). */
export const REQUIRED_EVENTS: readonly string[] = SUBSCRIBED_EVENTS.filter((it) => it !== LEGACY_EVENT);
export const ALL_EVENTS: readonly string[] = SUBSCRIBED_EVENTS;
/** What a webhook that we create asks for. */
export const CREATED_EVENTS: readonly string[] = [...ALL_EVENTS, MERGE_EVENT];

/** Gladly allows 20 webhooks in an organization (gladly.md 1.3). */
export const MOST_WEBHOOKS = 20;

const CREATED = 'Idiomatic (created for you, ';

export const wantedWebhook = (publicUrl: string, tenantId: TenantId): Wanted => ({
  url: webhookUrl(publicUrl, tenantId),
  name: `${CREATED}${tenantId})`,
});

export const isCreatedByUs = (name: string | undefined): boolean => name?.startsWith(CREATED) === true;
