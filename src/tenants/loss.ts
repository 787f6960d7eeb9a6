import type { Tenant } from '../store/tenants.ts';

const DAY_MS = 86_400_000;

/** Whatever is in the queue came after it was last seen empty, so this is since when its oldest message has waited at most. */
export function waitsSince({ createdAt }: Pick<Tenant, 'createdAt'>, queueEmptyAt: Date | null): Date {
  return queueEmptyAt ?? createdAt;
}

/** When SQS would delete the oldest message of the queue, at the earliest. */
export function firstLossAt(tenant: Pick<Tenant, 'createdAt' | 'retentionDays'>, queueEmptyAt: Date | null): Date {
  return new Date(waitsSince(tenant, queueEmptyAt).getTime() + tenant.retentionDays * DAY_MS);
}
