import { hash } from 'node:crypto';
import type { TenantId } from '../../contracts/tenant.ts';
import type { Db, Tx } from '../db.ts';
import { isRefusal } from '../errors.ts';
import { type NewEvent, type TakenIn, takeIn } from './take-in.ts';

export interface TakenApart extends Omit<TakenIn, 'conversations'> {
  /** Rows that Postgres refuses even as rejected events. Nothing of them was written. */
  readonly refused: readonly NewEvent[];
}

/**
 * Writes deliveries into the ledger in as few transactions as their content allows: rows that Postgres refuses are found by halving, and each of
 * them becomes a rejected event by itself, with the reason. `before` runs first in each transaction. Throws what is not about a row: then
 * some may be written, and all can be written again.
 */
export async function takeInApart(
  db: Db,
  tenantId: TenantId,
  rows: readonly NewEvent[],
  before: (tx: Tx) => Promise<void> = async () => undefined,
): Promise<TakenApart> {
  const write = (some: readonly NewEvent[]): Promise<TakenIn> =>
    db.transaction(async (tx) => {
      await before(tx);
      return await takeIn(tx, tenantId, some);
    });
  const apart = async (some: readonly NewEvent[]): Promise<TakenApart> => {
    try {
      return { ...(await write(some)), refused: [] };
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const [first] = some;
      if (first === undefined || isSetAside(first)) return { inserted: 0, duplicates: 0, refused: some };
      if (some.length === 1) return await apart([setAside(first, error.code)]);
      const half = some.length >> 1;
      const [one, other] = [await apart(some.slice(0, half)), await apart(some.slice(half))];
      return {
        inserted: one.inserted + other.inserted,
        duplicates: one.duplicates + other.duplicates,
        refused: [...one.refused, ...other.refused],
      };
    }
  };
  const taken = await apart(rows);
  // As they were given: the caller knows them by identity.
  const bodies = new Set(taken.refused.map(({ body }) => body));
  return { ...taken, refused: bodies.size === 0 ? [] : rows.filter(({ body }) => bodies.has(body)) };
}

const SET_ASIDE = 'store_refused_';
const isSetAside = ({ reason }: NewEvent): boolean => reason?.startsWith(SET_ASIDE) === true;

/** The event as a rejected one that keeps its body, and nothing else that Postgres could refuse. `code`: the SQLSTATE of the refusal. */
export function setAside({ merge: _, ...row }: NewEvent, code: string): NewEvent {
  return {
    ...row,
    eventId: `sha256:${hash('sha256', row.body, 'hex')}`,
    type: null,
    conversationId: null,
    itemId: null,
    customerId: null,
    eventAt: null,
    state: 'rejected',
    reason: `${SET_ASIDE}${code}`,
  };
}
