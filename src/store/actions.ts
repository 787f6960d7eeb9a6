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

export async function recordAction(
  db: Queryable,
  { tenantId, at, by, action, reason, details = {} }: NewAction,
): Promise<void> {
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
