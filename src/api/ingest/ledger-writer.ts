import { eventFacts } from '../../gladly/event-facts.ts';
import type { Db } from '../../store/db.ts';
import { orderDrains } from '../../store/drains.ts';
import { isRefusal, isTransient, UnknownTenantError } from '../../store/errors.ts';
import { type NewEvent, takeIn } from '../../store/ledger/take-in.ts';
import { setAside } from '../../store/ledger/take-in-apart.ts';
import type { LedgerRow, LedgerWriter } from './ports.ts';

/**
 * LedgerWriter in Postgres. `db` must have the limits of INGEST_DB (ingest.ts), so that a write fails before its deliveries time out. When
 * Postgres refuses a batch for its content, the batch is split in halves until each refused row is alone; it becomes a rejected event, since a
 * delivery that is answered with an error is sent again, and five of them switch the webhook off.
 */
export function createLedgerWriter(db: Db): LedgerWriter {
  async function put(rows: readonly LedgerRow[]): Promise<readonly boolean[]> {
    try {
      return await putAll(rows);
    } catch (error) {
      if (rows.length === 1 && isRefusal(error)) return await putAll(rows, error.code);
      if (isTransient(error) || rows.length === 1) throw error;
      // Finds the refused row by halving, so that the other rows are written.
      const half = rows.length >> 1;
      const parts = await Promise.allSettled([put(rows.slice(0, half)), put(rows.slice(half))]);
      if (parts.every((part) => part.status === 'rejected')) throw error;
      return parts.flatMap((part, n) =>
        part.status === 'fulfilled' ? part.value : rows.slice(n * half, n === 0 ? half : undefined).map(() => false),
      );
    }
  }

  /**
   * One transaction for all rows. Tenants are locked in order of their ids, so that two processes cannot deadlock. `refusal`: SQLSTATE with which
   * these rows were refused before; they are set aside.
   */
  async function putAll(rows: readonly LedgerRow[], refusal?: string): Promise<readonly boolean[]> {
    const byTenant = new Map(
      [...Map.groupBy(rows, (row) => row.tenantId)].sort(([one], [other]) => (one < other ? -1 : 1)),
    );
    const gone = await db.transaction(async (tx) => {
      const unknown = new Set<string>();
      for (const [tenantId, own] of byTenant) {
        const events = own.flatMap(newEvent);
        const kept = refusal === undefined ? events : events.map((event) => setAside(event, refusal));
        await takeIn(tx, tenantId, kept).catch((error: unknown) => {
          if (!(error instanceof UnknownTenantError)) throw error;
          unknown.add(tenantId);
        });
      }
      // A drain that is at work waits for what comes through the queue.
      await orderDrains(
        tx,
        [...byTenant.keys()].filter((tenantId) => !unknown.has(tenantId)),
        'look',
      );
      return unknown;
    });
    return rows.map((row) => !gone.has(row.tenantId));
  }

  return { put };
}

function newEvent({ body, acceptedAt }: LedgerRow): NewEvent[] {
  const facts = eventFacts(body);
  if (facts === null) return [];
  const { unknownType: _, ...event } = facts;
  return [{ ...event, receivedAt: new Date(acceptedAt), way: 'direct', body }];
}
