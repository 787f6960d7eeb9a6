import type { TenantId } from '../contracts/tenant.ts';
import type { Queryable } from './db.ts';
import { jsonbText, storableText } from './values.ts';

/** What was done to a tenant, by whom and why. */
export interface Action {
  readonly actionId: number;
  readonly tenantId: TenantId;
  readonly at: Date;
  /** An operator's name, `customer`, or `system`. */
  readonly by: string;
  /** `pause`, `resume`, `new_key` ... */
  readonly action: string;
  readonly reason: string | null;
  readonly details: ActionDetails;
}

/** Never a secret, never a customer's text. */
export type ActionDetails = Readonly<Record<string, string | number | boolean | null>>;

export type NewAction = Omit<Action, 'actionId' | 'details'> & { readonly details?: ActionDetails };

/** The same by the same within this time may be one row: see `folds`. */
const FOLD_MS = 3_600_000;

/**
 * `folds`: what the same one has done within the hour before is that row, with how many `times` and the newest details, so that nobody can fill the
 * history with one thing.
 */
export async function recordAction(
  db: Queryable,
  { tenantId, at, by, action, reason, details = {} }: NewAction,
  { folds = false } = {},
): Promise<void> {
  if (folds) {
    const { count } = await db.query(
      `UPDATE actions SET details = details || $5::jsonb || jsonb_build_object('times', coalesce((details->>'times')::integer, 1) + 1)
       WHERE action_id = (
         SELECT action_id FROM actions WHERE tenant_id = $1 AND by = $2 AND action = $3 AND at > $4::timestamptz
         ORDER BY action_id DESC LIMIT 1)`,
      [tenantId, storableText(by), action, new Date(at.getTime() - FOLD_MS), jsonbText(details)],
    );
    if (count > 0) return;
  }
  await db.query('INSERT INTO actions (tenant_id, at, by, action, reason, details) VALUES ($1, $2, $3, $4, $5, $6)', [
    tenantId,
    at,
    storableText(by),
    action,
    storableText(reason),
    jsonbText(details),
  ]);
}

/** A page of a tenant's history, newest first. `before` is the last actionId of the page before. */
export async function listActions(
  db: Queryable,
  tenantId: TenantId,
  { before, limit }: { readonly before?: number; readonly limit: number },
): Promise<readonly Action[]> {
  const { rows } = await db.query<Action>(
    `SELECT action_id AS "actionId", tenant_id AS "tenantId", at, by, action, reason, details FROM actions
     WHERE tenant_id = $1 AND ($2::bigint IS NULL OR action_id < $2) ORDER BY action_id DESC LIMIT $3`,
    [tenantId, before ?? null, limit],
  );
  return rows;
}
