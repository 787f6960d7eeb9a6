import { z } from 'zod';
import type { TestGladly } from '../onboarding/gladly.ts';

export interface WebhookFields {
  readonly url: string;
  readonly events: readonly string[];
  readonly key: string;
}

const saved = z.object({ id: z.string() });

/** The administrator fills in Gladly's own form for a webhook and presses Save. Gladly saves it only when its test call is answered. */
export async function saveWebhook(gladly: TestGladly, { url, events, key }: WebhookFields): Promise<boolean> {
  try {
    await gladly.api('POST', '/webhooks', {
      name: 'Idiomatic',
      url,
      events,
      headers: { 'x-api-key': key },
      enabled: true,
    });
    return true;
  } catch {
    return false;
  }
}

/** Edits the one webhook that there is. */
export async function changeWebhook(gladly: TestGladly, change: object): Promise<void> {
  const [webhook] = z.array(saved).parse(await gladly.webhooks());
  await gladly.api('PATCH', `/webhooks/${webhook?.id}`, change);
}
