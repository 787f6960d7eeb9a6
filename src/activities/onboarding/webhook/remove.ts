import { GladlyError } from '../../../gladly/errors.ts';
import { describe } from '../evidence.ts';
import { findWebhook } from './find.ts';
import { listWebhooks, type WebhookWork } from './work.ts';

/** Takes back the webhook that we created. One that the customer made is theirs, and stays. Throws GladlyError. */
export async function removeOurWebhook(work: WebhookWork): Promise<void> {
  const { client, wanted, asked } = work;
  const found = findWebhook(await listWebhooks(work), wanted);
  if (found.kind !== 'ours') {
    asked.note('Our webhook in Gladly', 'there is none');
    return;
  }
  const { webhook } = found;
  if (webhook.name !== wanted.name) {
    asked.note('Our webhook in Gladly', 'it was not made by us, so it stays; delete it in Gladly');
    return;
  }
  try {
    // Gladly deletes only what is disabled (gladly.md 1.4).
    if (webhook.enabled !== false) await client.updateWebhook(webhook.id, { enabled: false });
    await client.deleteWebhook(webhook.id);
  } catch (error) {
    const isGone = error instanceof GladlyError && error.kind === 'not_found';
    if (error instanceof GladlyError) asked.note('DELETE /api/v1/webhooks/{id}', describe(error));
    if (!isGone) throw error;
  }
  asked.note('Our webhook in Gladly', 'deleted');
}
