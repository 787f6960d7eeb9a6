import type { Db } from '../../store/db.ts';
import { addMeasurements } from '../../store/measurements.ts';
import { recordSightings } from '../../store/sightings.ts';
import type { KeySeen } from '../../store/tenant-states.ts';
import { recordKeyUses } from '../../store/webhook-keys.ts';
import { type DeliveryStat, type DeliveryStats, STAT_TYPE } from './ports.ts';

/** Notes with which keys webhooks are called. Never rejects: what it could not note is noted with the next deliveries. */
export type NoteKeys = (seen: readonly KeySeen[]) => Promise<void>;

/**
 * DeliveryStats in Postgres: the tables `sightings` and `measurements`, and the last use of keys. `onNews` is called after the commit with the
 * tenants whose stats hold something that onboarding waits for: a PING, a wrong key, or a type that was not stored with that key before. If
 * the process ends between commit and call, the news is lost; onboarding also looks every minute (PROOF_LOOK_MS).
 */
export function createDeliveryStats(
  db: Db,
  onNews: (tenantIds: readonly string[]) => void,
  noteKeys: NoteKeys = async () => undefined,
): DeliveryStats {
  return {
    async record(stats) {
      const seen = stats.map((stat) => ({
        ...stat,
        firstAt: new Date(stat.firstAt),
        lastAt: new Date(stat.lastAt),
      }));
      const withKey = seen.filter(({ keyId }) => keyId !== '');
      // Writing key uses twice changes nothing, so they come first; counts would double, so they come last, in one transaction.
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
      await noteKeys(keysSeen(seen));
    },
  };
}

/** By tenant. */
function keysSeen(
  seen: readonly { readonly tenantId: string; readonly keyId: string; readonly lastAt: Date }[],
): readonly KeySeen[] {
  const byTenant = new Map<string, KeySeen>();
  for (const { tenantId, keyId, lastAt } of seen) {
    const known = byTenant.get(tenantId) ?? { tenantId, rightAt: null, wrongAt: null };
    const last = keyId === '' ? 'wrongAt' : 'rightAt';
    const before = known[last];
    byTenant.set(tenantId, { ...known, [last]: before !== null && before > lastAt ? before : lastAt });
  }
  return [...byTenant.values()];
}

const isAlwaysNews = ({ type }: DeliveryStat): boolean => type === STAT_TYPE.ping || type === STAT_TYPE.wrongKey;
const isEvent = ({ type }: Pick<DeliveryStat, 'type'>): boolean => type !== STAT_TYPE.ping;
