import { eventFacts } from '../../gladly/event-facts.ts';
import type { Db, DbOptions } from '../../store/db.ts';
import { clearParkedOf } from '../../store/drains.ts';
import { isTransient, UnknownTenantError } from '../../store/errors.ts';
import { type NewEvent, takeIn } from '../../store/ledger/take-in.ts';
import { addMeasurements } from '../../store/measurements.ts';
import { recordSightings } from '../../store/sightings.ts';
import { getTenant, listTenants } from '../../store/tenants.ts';
import { recordKeyUses, webhookKeysSince } from '../../store/webhook-keys.ts';
import {
  type DeliveryStat,
  type DeliveryStats,
  type KeySource,
  type LedgerRow,
  type LedgerWriter,
  STAT_TYPE,
  type Waker,
} from './ports.ts';

/** A pool for ingest alone. Both times are below the ledger's own (LEDGER in ledger-batcher.ts): what fails is tried anew, not waited for. */
export const INGEST_DB = {
  max: 5,
  name: 'ingest',
  statementTimeoutMs: 5_000,
  connectTimeoutMs: 2_000,
} as const satisfies DbOptions;

/** Beyond this many tenants it costs less to read them all. */
const FEW_TENANTS = 20;
const PAGE = 500;

export function keySource(db: Db): KeySource {
  return {
    changes: (since) => webhookKeysSince(db, since),
    async queueUrls(tenantIds) {
      const found = new Map<string, string>();
      const note = (tenant: { readonly tenantId: string; readonly queueUrl: string | null } | null): void => {
        if (tenant !== null && tenant.queueUrl !== null) found.set(tenant.tenantId, tenant.queueUrl);
      };
      if (tenantIds.length <= FEW_TENANTS) {
        for (const tenantId of tenantIds) note(await getTenant(db, tenantId));
        return found;
      }
      for (let after: string | undefined = ''; after !== undefined; ) {
        const page = await listTenants(db, { after, limit: PAGE });
        page.forEach(note);
        after = page.length < PAGE ? undefined : page.at(-1)?.tenantId;
      }
      return found;
    },
  };
}

/** Give it a Db with INGEST_DB's limits. */
export function ledgerWriter(db: Db): LedgerWriter {
  async function put(rows: readonly LedgerRow[]): Promise<readonly boolean[]> {
    try {
      return await putAll(rows);
    } catch (error) {
      if (isTransient(error) || rows.length === 1) throw error;
      // One row that Postgres refuses must not keep the others out.
      const half = rows.length >> 1;
      const parts = await Promise.allSettled([put(rows.slice(0, half)), put(rows.slice(half))]);
      if (parts.every((part) => part.status === 'rejected')) throw error;
      return parts.flatMap((part, n) =>
        part.status === 'fulfilled' ? part.value : rows.slice(n * half, n === 0 ? half : undefined).map(() => false),
      );
    }
  }

  /** In one transaction, tenants in order, so that two processes never wait for each other crosswise. */
  async function putAll(rows: readonly LedgerRow[]): Promise<readonly boolean[]> {
    const byTenant = [...Map.groupBy(rows, (row) => row.tenantId)].sort(([one], [other]) => (one < other ? -1 : 1));
    const gone = await db.transaction(async (tx) => {
      const unknown = new Set<string>();
      for (const [tenantId, own] of byTenant) {
        await takeIn(tx, tenantId, own.flatMap(newEvent)).catch((error: unknown) => {
          if (!(error instanceof UnknownTenantError)) throw error;
          unknown.add(tenantId);
        });
      }
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

/**
 * `onNews` is told, after the commit, of tenants for which something came that onboarding waits for: a PING, a wrong key, or a type of event
 * that was not stored with that key before. A process that ends in between tells nothing; onboarding looks every minute by itself.
 */
export function deliveryStats(db: Db, onNews: (tenantIds: readonly string[]) => void): DeliveryStats {
  return {
    async record(stats) {
      const seen = stats.map((stat) => ({
        ...stat,
        firstAt: new Date(stat.firstAt),
        lastAt: new Date(stat.lastAt),
      }));
      const withKey = seen.filter(({ keyId }) => keyId !== '');
      // Twice is once, so it may come first; what is counted comes last, in one transaction.
      await recordKeyUses(
        db,
        withKey.flatMap(({ keyId, firstAt, lastAt }) => [
          { keyId, usedAt: firstAt },
          { keyId, usedAt: lastAt },
        ]),
      );
      const firstOnes = await db.transaction(async (tx) => {
        const inserted = await recordSightings(tx, seen);
        await addMeasurements(
          tx,
          withKey.filter(isEvent).map(({ tenantId, lastAt, count }) => ({ tenantId, at: lastAt, accepted: count })),
        );
        return inserted;
      });
      const news = new Set([...firstOnes, ...stats.filter(isAlwaysNews)].map(({ tenantId }) => tenantId));
      if (news.size > 0) onNews([...news]);
    },
  };
}

const isAlwaysNews = ({ type }: DeliveryStat): boolean => type === STAT_TYPE.ping || type === STAT_TYPE.wrongKey;
const isEvent = ({ type }: Pick<DeliveryStat, 'type'>): boolean => type !== STAT_TYPE.ping;

/**
 * Clears the mark of parked tenants and wakes those whose mark this call cleared. One that was cleared and could not be woken is woken by
 * the next call. `wakeOne` must not wait for ever.
 */
export function waker(db: Db, wakeOne: (tenantId: string) => Promise<void>): Waker {
  const owed = new Set<string>();
  return {
    async wake(tenantIds) {
      for (const tenantId of await clearParkedOf(db, tenantIds)) owed.add(tenantId);
      const woken = await Promise.allSettled(
        [...owed].map(async (tenantId) => {
          await wakeOne(tenantId);
          owed.delete(tenantId);
        }),
      );
      const failed = woken.find((result) => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    },
  };
}
