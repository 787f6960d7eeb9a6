import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { EXTRACTION_DETAILS } from '../../contracts/descriptions.ts';
import {
  credentialsChangedSignal,
  disconnectSignal,
  EXTRACTION_WORKFLOW,
  type ExtractionInput,
} from '../../contracts/extraction.ts';
import { SEARCH_ATTRIBUTES } from '../../contracts/search-attributes.ts';
import { EXTRACTION_TASK_QUEUE, extractionWorkflowId } from '../../contracts/tenant.ts';
import type { ExtractionControl } from './ports.ts';

/** By workflow id alone: lists of workflows lag behind. */
export function createExtractionControl(client: Client): ExtractionControl {
  const workflows = client.workflow;
  return {
    startOrTell: async (tenantId, { pause, tuning }) => {
      const input: ExtractionInput = { version: 1, tenantId, tuning, ...(pause ? { pause } : {}) };
      await workflows.signalWithStart(EXTRACTION_WORKFLOW, {
        workflowId: extractionWorkflowId(tenantId),
        taskQueue: EXTRACTION_TASK_QUEUE,
        args: [input],
        signal: credentialsChangedSignal,
        staticSummary: `Extracts the conversations of ${tenantId}`,
        staticDetails: EXTRACTION_DETAILS,
        typedSearchAttributes: [{ key: SEARCH_ATTRIBUTES.tenantId, value: tenantId }],
      });
    },
    credentialsChanged: async (tenantId) => {
      try {
        await workflows.getHandle(extractionWorkflowId(tenantId)).signal(credentialsChangedSignal);
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    },
    end: async (tenantId, request, waitMs) => {
      const handle = workflows.getHandle(extractionWorkflowId(tenantId));
      try {
        await handle.signal(disconnectSignal, request);
        await client.withDeadline(Date.now() + waitMs, () => handle.result());
        return true;
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return true;
        return (await handle.describe()).status.name !== 'RUNNING';
      }
    },
  };
}
