import { setTimeout as delay } from 'node:timers/promises';
import { tenantOfWorkflow } from '../../contracts/tenant.ts';
import { resealCredentials } from '../../store/credentials.ts';
import { type KeyUse, openRunOf } from '../../temporal/key-use.ts';
import { TenantWorkflows } from '../../tenants/workflows.ts';
import { concurrently, type KeyDeps, look } from './look.ts';
import type { Renewal } from './report.ts';

/** Between looks at those that have not gone on. */
const LOOK_MS = 1_000;

/**
 * Has everything go over to the first key that can: workflows begin a new history, and then rows are sealed anew. Rows come last and only if
 * workers are seen to hold the first key: one that does not could open none of them. Waits up to `waitMs` for workflows; those
 * that stand still go over once they go on, as the signal stays with them.
 */
export async function renew(deps: KeyDeps, held: readonly KeyUse[], waitMs: number): Promise<Renewal> {
  const { client, db, secretBox } = deps;
  const first = secretBox.firstKeyId;
  const workflows = new TenantWorkflows(client);
  const asked = new Map(
    held.flatMap(({ workflowId, runId, keyIds }) => (isUnder(first, keyIds) ? [] : [[workflowId, runId]])),
  );
  // A sweep is none of a tenant's, and ends by itself.
  await concurrently(asked.keys(), async (workflowId) => {
    if (tenantOfWorkflow(workflowId) !== null) await workflows.renew(workflowId);
  });
  const waiting = new Set(asked.keys());
  for (const end = Date.now() + waitMs; ; await delay(LOOK_MS)) {
    await concurrently([...waiting], async (workflowId) => {
      if ((await openRunOf(client, workflowId)) !== asked.get(workflowId)) waiting.delete(workflowId);
    });
    if (waiting.size === 0 || Date.now() > end) break;
  }
  const { runs } = await look(deps);
  const begunUnder = new Map(
    runs.flatMap((run) => (run.begunUnder === null ? [] : [[run.workflowId, run.begunUnder]])),
  );
  const underOther = [...asked.keys()].filter((id) => !waiting.has(id) && (begunUnder.get(id) ?? first) !== first);
  const workersHoldFirst = underOther.length === 0 && (runs.length === 0 || [...begunUnder.values()].includes(first));
  return {
    first,
    asked: asked.size,
    waiting: [...waiting].sort(),
    underOther: underOther.sort(),
    resealed: workersHoldFirst ? await resealCredentials(db, secretBox) : null,
  };
}

const isUnder = (first: string, keyIds: ReadonlySet<string>): boolean => [...keyIds].every((id) => id === first);
