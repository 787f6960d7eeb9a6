import type { Db } from '../../store/db.ts';
import { clearParkedOf } from '../../store/drains.ts';
import type { Waker } from './ports.ts';

/**
 * Waker in Postgres: clears the parked mark of tenants and calls `wakeOne` for each tenant whose mark this call cleared. A tenant whose
 * `wakeOne` rejected is kept in memory and woken by the next call, because its mark is cleared already. `wakeOne` must settle in bounded time.
 */
export function createWaker(db: Db, wakeOne: (tenantId: string) => Promise<void>): Waker {
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
