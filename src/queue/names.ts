/** Where a tenant's events wait. */
export interface QueueUrls {
  readonly queue: string;
  readonly dead: string;
}

export const QUEUE_PREFIX = 'idiomatic-gladly-';

/** At most 62 characters with a tenant id of 40: SQS allows 80. */
export const queueName = (tenantId: string, prefix = QUEUE_PREFIX): string => `${prefix}${tenantId}`;
export const deadQueueName = (tenantId: string, prefix = QUEUE_PREFIX): string => `${queueName(tenantId, prefix)}-dead`;
