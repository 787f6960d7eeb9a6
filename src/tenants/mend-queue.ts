import type { Queues } from '../queue/provision.ts';
import { recordAction } from '../store/actions.ts';
import type { Db } from '../store/db.ts';
import type { Tenant } from '../store/tenants.ts';
import { recordQueue } from './findings.ts';
import { changeTenant } from './projection.ts';

/**
 * Makes a tenant's queues anew where one does not exist any more; its webhook and key stay. True when something was made, which is in the
 * history then. Rejects with SQS's errors and as Queues does.
 */
export async function mendQueue(
  { db, queues }: { readonly db: Db; readonly queues: Pick<Queues, 'find' | 'provision'> },
  { tenantId, retentionDays }: Tenant,
  by: string,
): Promise<boolean> {
  const isThere = (await queues.find(tenantId)) !== null;
  if (!isThere) {
    const { queue, dead } = await queues.provision(tenantId, retentionDays);
    await changeTenant(db, tenantId, { queueUrl: queue, deadLetterQueueUrl: dead });
    const reason = 'the queue did not exist any more';
    await recordAction(db, { tenantId, at: new Date(), by, action: 'queue_made_anew', reason });
  }
  await recordQueue(db, tenantId, null);
  return !isThere;
}
