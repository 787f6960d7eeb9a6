import { setTimeout as sleep } from 'node:timers/promises';
import { type Db, openDb } from '../../src/store/db.ts';

const LOOK_MS = 1_000;
/** A first drain lists what conversations refer to, while the others' begin. */
const FIRST_DRAIN_MS = 5_000;

export interface Fresh {
  /** From accepted to stored, in milliseconds: one for each event that is stored. */
  readonly ms: readonly number[];
  readonly waiting: number;
}

/**
 * Of the events that these tenants got since then, and before `until`. Stored is when its transaction wrote it, a moment before the commit. An event
 * that is in SQS only is not seen.
 */
export async function freshnessOf(
  databaseUrl: string,
  tenantIds: readonly string[],
  since: Date,
  until: Date | null = null,
): Promise<Fresh> {
  return await asking(databaseUrl, async (db) => {
    const { rows } = await db.query<{ ms: unknown; state: string }>(
      `SELECT extract(epoch FROM done_at - received_at) * 1000 AS ms, state FROM events
       WHERE tenant_id = ANY($1) AND received_at >= $2 AND ($3::timestamptz IS NULL OR received_at < $3)`,
      [[...tenantIds], since, until],
    );
    return {
      ms: rows.filter(({ state }) => state === 'extracted').map(({ ms }) => Number(ms)),
      waiting: rows.filter(({ state }) => state !== 'extracted').length,
    };
  });
}

/** How many of these tenants hold no slot just now. */
export async function parkedOf(databaseUrl: string, tenantIds: readonly string[]): Promise<number> {
  return await countOf(databaseUrl, tenantIds, 'parked_at IS NOT NULL');
}

/** Waits until a drain of each of them has begun, or so long; then for what the first one does besides. Returns how many have. */
export async function untilAllBegan(
  databaseUrl: string,
  tenantIds: readonly string[],
  withinMs: number,
): Promise<number> {
  const end = performance.now() + withinMs;
  for (;;) {
    const began = await countOf(databaseUrl, tenantIds, 'fence > 0');
    if (began === tenantIds.length || performance.now() > end) {
      await sleep(FIRST_DRAIN_MS);
      return began;
    }
    await sleep(LOOK_MS);
  }
}

/** How many events of theirs were stored in this time. */
export async function storedOf(
  databaseUrl: string,
  tenantIds: readonly string[],
  since: Date,
  until: Date,
): Promise<number> {
  return await asking(databaseUrl, async (db) => {
    const { rows } = await db.query<{ n: unknown }>(
      `SELECT count(*) AS n FROM events WHERE tenant_id = ANY($1) AND state = 'extracted' AND done_at >= $2 AND done_at < $3`,
      [[...tenantIds], since, until],
    );
    return Number(rows[0]?.n);
  });
}

async function countOf(databaseUrl: string, tenantIds: readonly string[], wanted: string): Promise<number> {
  return await asking(databaseUrl, async (db) => {
    const { rows } = await db.query<{ n: unknown }>(
      `SELECT count(*) AS n FROM drains WHERE tenant_id = ANY($1) AND ${wanted}`,
      [[...tenantIds]],
    );
    return Number(rows[0]?.n);
  });
}

async function asking<T>(databaseUrl: string, ask: (db: Db) => Promise<T>): Promise<T> {
  const db = openDb(databaseUrl, { max: 1, name: 'bench' });
  try {
    return await ask(db);
  } finally {
    await db.close();
  }
}
