/**
 * A customer of ours, as every part names it. The id is chosen by an operator, is part of URLs, queue names and workflow ids,
 * and never changes.
 */
export type TenantId = string;

/** Fits an SQS queue name (80 characters with our prefix and suffix) and a URL without encoding. */
export const TENANT_ID = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/;

export const onboardingWorkflowId = (tenantId: TenantId): string => `onboarding/${tenantId}`;
export const extractionWorkflowId = (tenantId: TenantId): string => `extraction/${tenantId}`;

/** Whose workflow it is; null when it is no tenant's. */
export const tenantOfWorkflow = (workflowId: string): TenantId | null =>
  /^(?:onboarding|extraction)\/(.+)$/.exec(workflowId)?.[1] ?? null;

/** Where Gladly delivers a tenant's events; the tenant's id follows. It is saved in customers' webhooks, so it stays. */
export const WEBHOOK_PATH = '/webhooks/gladly/';
export const webhookUrl = (publicUrl: string, tenantId: TenantId): string => `${publicUrl}${WEBHOOK_PATH}${tenantId}`;

/** One task queue for each kind of work: a hundred busy drains must never keep an onboarding from a slot. */
export const ONBOARDING_TASK_QUEUE = 'onboarding';
export const EXTRACTION_TASK_QUEUE = 'extraction';

/** SQS keeps a message 4 days unless told otherwise, and 14 at most (Gladly's set-up article names both, gladly.md 1.6). */
export const RETENTION_DAYS = { default: 4, min: 1, max: 14 } as const;
