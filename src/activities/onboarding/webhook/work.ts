import type { TenantId } from '../../../contracts/tenant.ts';
import type { GladlyClient } from '../../../gladly/client.ts';
import type { Webhook } from '../../../gladly/schemas.ts';
import type { OnboardingDeps } from '../deps.ts';
import type { Questions } from '../evidence.ts';
import type { Wanted } from './wanted.ts';

/** One look at, or one mending of, a customer's webhook. */
export interface WebhookWork {
  readonly deps: OnboardingDeps;
  readonly tenantId: TenantId;
  readonly client: GladlyClient;
  readonly wanted: Wanted;
  /** Give it a new key even if the one it has works. */
  readonly renewKey: boolean;
  readonly asked: Questions;
  readonly signal: AbortSignal;
}

export async function listWebhooks({ client, asked, signal }: WebhookWork): Promise<readonly Webhook[]> {
  const { values } = await asked.ask(
    'GET /api/v1/webhooks',
    () => client.listWebhooks(signal),
    (answer) => `200, ${answer.values.length} webhooks`,
  );
  return values;
}
