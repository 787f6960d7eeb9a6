/** The URLs of a tenant's queue and of its dead-letter queue. */
export interface QueueUrls {
  readonly queue: string;
  readonly dead: string;
}

export const QUEUE_PREFIX = 'idiomatic-gladly-';

/** Names of at most 62 characters, with a tenant id of 40 and the suffix of the dead-letter queue; SQS allows 80. */
export const queueName = (tenantId: string, prefix = QUEUE_PREFIX): string => `${prefix}${tenantId}`;
export const deadQueueName = (tenantId: string, prefix = QUEUE_PREFIX): string => `${queueName(tenantId, prefix)}-dead`;
