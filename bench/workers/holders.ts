import { Client, Connection } from '@temporalio/client';
import { extractionWorkflowId } from '../../src/contracts/tenant.ts';
import { openDb } from '../../src/store/db.ts';
import { inParallel } from '../support/in-parallel.ts';
import type { World } from '../support/world.ts';

/** The tenants that are awake, by the worker that drains them (PID@HOST). */
export type Holdings = ReadonlyMap<string, readonly string[]>;

const AT_ONCE = 10;

/**
 * Who drains whom: as the drains' rows say, and where a row names no worker, as Temporal knows the one that has the activity. A tenant that nobody
 * drains just now is left out.
 */
export async function holdings(
  world: World,
  tenantIds: readonly string[],
  workers: readonly string[],
): Promise<Holdings> {
  const rows = await awake(world, tenantIds);
  const unknown = rows.filter(({ holder }) => !workers.includes(holder)).map(({ tenantId }) => tenantId);
  const asked = new Map(unknown.length === 0 ? [] : await askTemporal(world, unknown));
  const held = new Map<string, string[]>(workers.map((worker) => [worker, []]));
  for (const { tenantId, holder } of rows) held.get(asked.get(tenantId) ?? holder)?.push(tenantId);
  return held;
}

/** The largest share ÷ the smallest; one without any counts as if it had one. */
export function spreadOf(held: Holdings): number {
  const counts = [...held.values()].map(({ length }) => length);
  return Math.max(...counts, 1) / Math.max(1, Math.min(...counts));
}

export const sharesInWords = (held: Holdings): string =>
  [...held.values()]
    .map(({ length }) => length)
    .sort((a, b) => b - a)
    .join(', ');

async function awake(
  world: World,
  tenantIds: readonly string[],
): Promise<readonly { readonly tenantId: string; readonly holder: string }[]> {
  const db = openDb(world.places().databaseUrl, { max: 1, name: 'bench' });
  try {
    const { rows } = await db.query<{ tenantId: string; holder: string | null }>(
      'SELECT tenant_id AS "tenantId", holder FROM drains WHERE tenant_id = ANY($1) AND parked_at IS NULL',
      [[...tenantIds]],
    );
    return rows.map(({ tenantId, holder }) => ({ tenantId, holder: holder ?? '' }));
  } finally {
    await db.close();
  }
}

async function askTemporal(
  world: World,
  tenantIds: readonly string[],
): Promise<readonly (readonly [tenantId: string, worker: string])[]> {
  const connection = await Connection.connect({ address: world.temporalAddress });
  try {
    const client = new Client({ connection });
    return await inParallel(tenantIds, AT_ONCE, async (tenantId) => {
      const { raw } = await client.workflow.getHandle(extractionWorkflowId(tenantId)).describe();
      return [tenantId, raw.pendingActivities?.[0]?.lastWorkerIdentity ?? ''] as const;
    });
  } finally {
    await connection.close();
  }
}
