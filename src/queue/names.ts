/** The URLs of a tenant's queue and of its dead-letter queue. */
export interface QueueUrls {
  readonly queue: string;
  readonly dead: string;
}

export const QUEUE_PREFIX = 'idiomatic-gladly-';

/** Names of at most 75 characters: a prefix of 30, a tenant id of 40, the suffix of the dead-letter queue. SQS allows 80. */
export const queueName = (tenantId: string, prefix = QUEUE_PREFIX): string => `${prefix}${tenantId}`;

/** A tenant id has no underscore (contracts/tenant.ts), so no other tenant's queue has this name. */
export const deadQueueName = (tenantId: string, prefix = QUEUE_PREFIX): string => `${queueName(tenantId, prefix)}_dead`;
