import type { Client } from '@temporalio/client';
import { EXTRACTION_WORKFLOW } from '../contracts/extraction.ts';
import { ONBOARDING_WORKFLOW } from '../contracts/onboarding.ts';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes.ts';
import type { TenantId } from '../contracts/tenant.ts';

/** What Temporal's records say of a running workflow, a moment behind. */
export interface WorkflowRecord {
  /** A phase of extraction, or the step at hand of an onboarding; null until it has said so. */
  readonly state: string | null;
  /** A problem's code. */
  readonly problem: string | null;
  readonly pausedSince: Date | null;
}

export interface WorkflowRecords {
  readonly onboarding: ReadonlyMap<TenantId, WorkflowRecord>;
  readonly extraction: ReadonlyMap<TenantId, WorkflowRecord>;
}

const RUNNING = `WorkflowType IN ('${ONBOARDING_WORKFLOW}', '${EXTRACTION_WORKFLOW}') AND ExecutionStatus = 'Running'`;

/** Every running workflow of every tenant, with one call for a thousand of them. Throws what Temporal's client throws. */
export async function readWorkflowRecords(client: Client): Promise<WorkflowRecords> {
  const onboarding = new Map<TenantId, WorkflowRecord>();
  const extraction = new Map<TenantId, WorkflowRecord>();
  for await (const { type, typedSearchAttributes } of client.workflow.list({ query: RUNNING, pageSize: 1_000 })) {
    const tenantId = typedSearchAttributes.get(SEARCH_ATTRIBUTES.tenantId);
    if (tenantId === undefined) continue;
    (type === EXTRACTION_WORKFLOW ? extraction : onboarding).set(tenantId, {
      state: typedSearchAttributes.get(SEARCH_ATTRIBUTES.state) ?? null,
      problem: typedSearchAttributes.get(SEARCH_ATTRIBUTES.problem) ?? null,
      pausedSince: typedSearchAttributes.get(SEARCH_ATTRIBUTES.pausedSince) ?? null,
    });
  }
  return { onboarding, extraction };
}
