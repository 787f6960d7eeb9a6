import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { archiveSignal, extractionStatusQuery, wakeSignal, warnSignal } from '../../contracts/extraction.ts';
import { extractionWorkflowId } from '../../contracts/tenant.ts';
import type { ExtractionSignals } from './watch-tenants.ts';

/** By workflow id alone: lists of workflows lag behind. */
export function createExtractionSignals(client: Client): ExtractionSignals {
  const handle = (tenantId: string) => client.workflow.getHandle(extractionWorkflowId(tenantId));
  return {
    wake: (tenantId) => unlessGone(handle(tenantId).signal(wakeSignal)),
    archive: (tenantId) => unlessGone(handle(tenantId).signal(archiveSignal)),
    warn: (tenantId, warning) => unlessGone(handle(tenantId).signal(warnSignal, warning)),
    async isPaused(tenantId) {
      try {
        return (await handle(tenantId).query(extractionStatusQuery)).pause !== null;
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return false;
        throw error;
      }
    },
  };
}

async function unlessGone(call: Promise<void>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
