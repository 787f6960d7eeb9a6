import { WEBHOOK_PATH } from '../../../contracts/tenant.ts';
import type { Webhook } from '../../../gladly/schemas.ts';
import { isCreatedByUs, type Wanted } from './wanted.ts';

/** Our webhook in the organization's list: the very URL; one that was meant to be it; or none. */
export type Found =
  | { readonly kind: 'ours'; readonly webhook: Webhook }
  /** Same host and path, but plain http. */
  | { readonly kind: 'not_https'; readonly webhook: Webhook }
  /** Meant for us, by its name or its address, and it goes elsewhere. `shown`: its URL without what may be secret in it. */
  | { readonly kind: 'elsewhere'; readonly webhook: Webhook; readonly shown: string }
  | { readonly kind: 'none' };

export function findWebhook(webhooks: readonly Webhook[], wanted: Wanted): Found {
  const ours = webhooks.find((it) => plain(it.url) === plain(wanted.url));
  if (ours) return { kind: 'ours', webhook: ours };
  const insecure = webhooks.find((it) => plain(it.url)?.replace(/^http:/, 'https:') === plain(wanted.url));
  if (insecure) return { kind: 'not_https', webhook: insecure };
  for (const webhook of webhooks) {
    const url = URL.parse(webhook.url ?? '');
    if (url && meantForUs(webhook, url, wanted))
      return { kind: 'elsewhere', webhook, shown: url.origin + url.pathname };
  }
  return { kind: 'none' };
}

/** As people write it: capitals in the host, a slash at the end. */
function plain(url: string | undefined): string | undefined {
  return URL.parse(url ?? '')?.href.replace(/\/$/, '');
}

/**
 * Somebody else's webhook is none of our business, so only clear signs count. Another tenant's URL on our host is a sign too: it was
 * copied from the wrong page.
 */
function meantForUs(webhook: Webhook, url: URL, wanted: Wanted): boolean {
  // One of ours for another tenant of this organization is as it should be.
  if (isCreatedByUs(webhook.name)) return webhook.name === wanted.name;
  const own = new URL(wanted.url);
  const sameHost = url.hostname === own.hostname;
  return sameHost || url.pathname.startsWith(WEBHOOK_PATH) || /idiomatic/i.test(webhook.name ?? '');
}
