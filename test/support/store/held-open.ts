import { setTimeout as delay } from 'node:timers/promises';
import type { Db } from '../../../src/store/db.ts';

/** A store whose transactions have done all their work some time before they commit: whoever overtakes them then is caught. */
export function heldOpen(db: Db, ms: number): { readonly db: Db; readonly held: Promise<void> } {
  const { promise: held, resolve } = Promise.withResolvers<void>();
  const transaction: Db['transaction'] = (fn, options) =>
    db.transaction(async (tx) => {
      const result = await fn(tx);
      resolve();
      await delay(ms);
      return result;
    }, options);
  return { db: { ...db, transaction }, held };
}
