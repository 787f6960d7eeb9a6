import type { Db } from '../../store/db.ts';
import { clearParkedOf } from '../../store/drains.ts';
import type { Waker } from './ports.ts';

/**
 * Clears the mark of parked tenants and wakes those whose mark this call cleared. One that was cleared and could not be woken is woken by
 * the next call. `wakeOne` must not wait for ever.
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
