import { z } from 'zod';
import { openDb } from '../../src/store/db.ts';
import type { Pipeline, Status } from '../../test/support/pipeline.ts';
import type { World } from '../support/world.ts';

const FILL_MS = 300_000;
const run = z.object({ run: z.number() });
const settled = z.object({ quiet: z.boolean() });

/** Pauses the tenant, and lets `count` events happen that then wait in its queue. */
export async function makeBacklog(pipeline: Pipeline, count: number): Promise<void> {
  await pipeline.ask('POST', `/v1/tenants/${pipeline.tenantId}/pause`, { reason: 'backlog' });
  await pipeline.when('paused', ({ extraction }) => extraction?.state === 'paused');
  const order = { count, onlySubscribed: true, wait: false };
  await pipeline.control('POST', '/simulator/emit', order, run);
  await pipeline.when('the backlog is there', ({ events }) => (events.inQueue ?? 0) >= count, FILL_MS);
  while (!(await pipeline.control('GET', '/simulator/deliveries/quiet?waitMs=5000', undefined, settled)).quiet);
}

export async function resume(pipeline: Pipeline): Promise<void> {
  await pipeline.ask('POST', `/v1/tenants/${pipeline.tenantId}/resume`, {});
}

/** Resolves when nothing waits any more. */
export async function untilDrained(pipeline: Pipeline, withinMs: number): Promise<Status> {
  return pipeline.when('all is extracted', ({ events }) => events.inQueue === 0 && events.waiting === 0, withinMs);
}

/** When the last event was done, by the clock of this machine, in milliseconds since 1970; and how many are. */
export async function lastDone(
  world: World,
  tenantId: string,
): Promise<{ readonly at: number; readonly done: number }> {
  const db = openDb(world.places().databaseUrl, { max: 1, name: 'bench' });
  try {
    const { rows } = await db.query<{ at: Date; done: unknown }>(
      "SELECT max(done_at) AS at, count(*) AS done FROM events WHERE tenant_id = $1 AND state = 'extracted'",
      [tenantId],
    );
    return { at: rows[0]?.at.getTime() ?? Number.NaN, done: Number(rows[0]?.done) };
  } finally {
    await db.close();
  }
}
