import { Client, Connection } from '@temporalio/client';
import { extractionWorkflowId } from '../../src/contracts/tenant.ts';
import type { World } from './world.ts';

/** Counts what a tenant's extraction has written into Temporal, over all the runs that continue-as-new made of it. */
export async function historyEvents(world: World, tenantId: string): Promise<number> {
  const connection = await Connection.connect({ address: world.temporalAddress });
  try {
    const client = new Client({ connection });
    const query = `WorkflowId = '${extractionWorkflowId(tenantId)}'`;
    let events = 0;
    for await (const { runId } of client.workflow.list({ query })) {
      events += (await client.workflow.getHandle(extractionWorkflowId(tenantId), runId).describe()).historyLength;
    }
    return events;
  } finally {
    await connection.close();
  }
}
