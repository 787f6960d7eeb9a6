import { openDb } from '../../src/store/db.ts';

export interface Fresh {
  /** From accepted to stored, in milliseconds: one for each event that is stored. */
  readonly ms: readonly number[];
  readonly waiting: number;
}

/** Of the events that these tenants got since then. Stored is when its transaction wrote it, a moment before the commit. */
export async function freshnessOf(databaseUrl: string, tenantIds: readonly string[], since: Date): Promise<Fresh> {
  const db = openDb(databaseUrl, { max: 1, name: 'bench' });
  try {
    const { rows } = await db.query<{ ms: unknown; state: string }>(
      `SELECT extract(epoch FROM done_at - received_at) * 1000 AS ms, state FROM events
       WHERE tenant_id = ANY($1) AND received_at >= $2`,
      [[...tenantIds], since],
    );
    return {
      ms: rows.filter(({ state }) => state === 'extracted').map(({ ms }) => Number(ms)),
      waiting: rows.filter(({ state }) => state !== 'extracted').length,
    };
  } finally {
    await db.close();
  }
}

/** How many of these tenants hold no slot just now. */
export async function parkedOf(databaseUrl: string, tenantIds: readonly string[]): Promise<number> {
  const db = openDb(databaseUrl, { max: 1, name: 'bench' });
  try {
    const { rows } = await db.query<{ n: unknown }>(
      'SELECT count(*) AS n FROM drains WHERE tenant_id = ANY($1) AND parked_at IS NOT NULL',
      [[...tenantIds]],
    );
    return Number(rows[0]?.n);
  } finally {
    await db.close();
  }
}
