import { setTimeout as delay } from 'node:timers/promises';
import type { Db } from '../../../src/store/db.ts';

/** A store whose transactions have done all their work some time before they commit: whoever overtakes them then is caught. */
export function heldOpen(db: Db, ms: number): Db {
  return {
    ...db,
    transaction: (fn, options) =>
      db.transaction(async (tx) => {
        const result = await fn(tx);
        await delay(ms);
        return result;
      }, options),
  };
}
