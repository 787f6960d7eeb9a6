import { WRONG_KEY_SIGHTING } from '../../../contracts/onboarding.ts';
import type { TenantId } from '../../../contracts/tenant.ts';
import type { Webhook } from '../../../gladly/schemas.ts';
import { listSightings, type Sighting } from '../../../store/sightings.ts';
import { type IssuedKey, issueWebhookKey, liveWebhookKeys } from '../../../store/webhook-keys.ts';
import type { OnboardingDeps } from '../deps.ts';
import { hasKeyHeader } from './differences.ts';

/** Keys that a new one replaces are accepted until it is seen in use, and this long at most: the customer may be away for a week. */
const REPLACED_AFTER_MS = 7 * 86_400_000;

/** What deliveries have told of the key. */
export interface KeyEvidence {
  /** Sightings of deliveries with a key that is accepted now. */
  readonly accepted: readonly Sighting[];
  /** When a delivery last came with a wrong key. Anybody can make one, so it is a hint and no proof. */
  readonly wrongAt: Date | null;
}

export async function keyEvidence({ db, now }: OnboardingDeps, tenantId: TenantId): Promise<KeyEvidence> {
  const [sightings, keys] = await Promise.all([listSightings(db, tenantId), liveWebhookKeys(db, tenantId, now())]);
  const live = new Set(keys.map((it) => it.keyId));
  const wrong = sightings.find((it) => it.type === WRONG_KEY_SIGHTING.type && it.keyId === WRONG_KEY_SIGHTING.keyId);
  return { accepted: sightings.filter((it) => live.has(it.keyId)), wrongAt: wrong?.lastAt ?? null };
}

/**
 * Whether the webhook's key is one that we accept: deliveries came with it, and none with a wrong key since. One that is off is given a
 * new key anyway, which the PING of being enabled proves.
 */
export function keyWorks(webhook: Webhook, { accepted, wrongAt }: KeyEvidence): boolean {
  if (!hasKeyHeader(webhook) || webhook.enabled !== true || accepted.length === 0) return false;
  const lastAt = Math.max(...accepted.map((it) => it.lastAt.getTime()));
  return wrongAt === null || wrongAt.getTime() <= lastAt;
}

/** A wrong key that was shown this long ago is what the customer has just saved, or tried to. */
const RECENT_MS = 15 * 60_000;

/** How long ago a delivery came with a wrong key, in ms, when that is recent and none with a right one came since; else null. */
export function wrongKeyAgoMs({ accepted, wrongAt }: KeyEvidence, now: Date): number | null {
  if (wrongAt === null || accepted.some(({ lastAt }) => lastAt >= wrongAt)) return null;
  const agoMs = now.getTime() - wrongAt.getTime();
  return agoMs < RECENT_MS ? Math.max(0, agoMs) : null;
}

/** A new key in plain text: it goes to Gladly and nowhere else. Those before it end once it is seen. */
export async function freshKey({ db, now }: OnboardingDeps, tenantId: TenantId): Promise<IssuedKey> {
  return await issueWebhookKey(db, tenantId, { until: new Date(now().getTime() + REPLACED_AFTER_MS) });
}
