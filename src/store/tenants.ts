import type { CancelRequest, WebhookSetup } from '../contracts/onboarding.ts';
import type { TenantId } from '../contracts/tenant.ts';
import type { Db, Param, Queryable } from './db.ts';
import { jsonbText, storableText } from './values.ts';

/** What to do when a pause lasts longer than the queue keeps events (4 to 14 days): no event may expire unseen. */
export type RetentionPolicy = 'extend' | 'archive' | 'alert';
export type TenantState = 'connecting' | 'connected' | 'cancelled' | 'disconnected';

export interface Tenant {
  readonly tenantId: TenantId;
  /** Random, new with each tenant: what is bound to it does not work for the next tenant of the same id. Empty for those of old. */
  readonly incarnation: string;
  readonly name: string;
  readonly createdAt: Date;
  readonly state: TenantState;
  readonly disconnectedAt: Date | null;
  readonly retentionDays: number;
  readonly retentionPolicy: RetentionPolicy;
  /** The highest level, in percent of the retention, for which an alert is up: 0, 50, 80 or 95. */
  readonly retentionAlert: number;
  /** The level that the tenant's extraction was told of. */
  readonly retentionAlertTold: number;
  readonly queueUrl: string | null;
  readonly deadLetterQueueUrl: string | null;
  /** `acme.gladly.com`, canonical and verified. */
  readonly host: string | null;
  /** What Gladly's GET /organization said. */
  readonly organization: unknown;
  readonly webhookSetup: WebhookSetup;
  /** Id of the webhook in Gladly. */
  readonly webhookId: string | null;
  /** Version of the newest credentials; 0 before there were any. */
  readonly credentialsVersion: number;
  /** Version of the credentials that extraction uses. */
  readonly adoptedCredentialsVersion: number | null;
  /** Connect links of a lower epoch are withdrawn. */
  readonly connectLinkEpoch: number;
  /** Until then its links may change things although it is connected; null: they only show. */
  readonly connectLinkChangesUntil: Date | null;
  /** Somebody has asked for it to be disconnected, and it has not been called off. */
  readonly disconnectAsked: CancelRequest | null;
}

export interface NewTenant {
  readonly tenantId: TenantId;
  readonly name: string;
  /** 1 to 14. */
  readonly retentionDays: number;
  readonly retentionPolicy?: RetentionPolicy;
  readonly webhookSetup?: WebhookSetup;
}

/** What may be changed piece by piece. */
export type TenantChange = Partial<
  Pick<
    Tenant,
    | 'name'
    | 'state'
    | 'disconnectedAt'
    | 'retentionDays'
    | 'retentionPolicy'
    | 'queueUrl'
    | 'deadLetterQueueUrl'
    | 'host'
    | 'organization'
    | 'webhookSetup'
    | 'webhookId'
    | 'disconnectAsked'
  >
>;

const CHANGEABLE: Readonly<Record<keyof TenantChange, string>> = {
  name: 'name',
  state: 'state',
  disconnectedAt: 'disconnected_at',
  retentionDays: 'retention_days',
  retentionPolicy: 'retention_policy',
  queueUrl: 'queue_url',
  deadLetterQueueUrl: 'dead_letter_queue_url',
  host: 'host',
  organization: 'organization',
  webhookSetup: 'webhook_setup',
  webhookId: 'webhook_id',
  disconnectAsked: 'disconnect_asked',
};

/** A tenant's columns as Tenant has them. */
export const TENANT_COLUMNS = `tenant_id AS "tenantId", incarnation, name, created_at AS "createdAt", state, disconnected_at AS "disconnectedAt",
  retention_days AS "retentionDays", retention_policy AS "retentionPolicy", retention_alert AS "retentionAlert",
  retention_alert_told AS "retentionAlertTold",
  queue_url AS "queueUrl", dead_letter_queue_url AS "deadLetterQueueUrl", host, organization, webhook_setup AS "webhookSetup",
  webhook_id AS "webhookId", credentials_version AS "credentialsVersion",
  adopted_credentials_version AS "adoptedCredentialsVersion", connect_link_epoch AS "connectLinkEpoch",
  connect_link_changes_until AS "connectLinkChangesUntil", disconnect_asked AS "disconnectAsked"`;

/** Creates the tenant with its empty ledger and feed; 'exists' when the id is taken, and then nothing is changed. */
export async function createTenant(db: Db, tenant: NewTenant): Promise<'created' | 'exists'> {
  const { tenantId, name, retentionDays, retentionPolicy = 'extend', webhookSetup = 'by_hand' } = tenant;
  const { count } = await db.query(
    `WITH created AS (
       INSERT INTO tenants (tenant_id, incarnation, name, state, retention_days, retention_policy, webhook_setup)
       VALUES ($1, gen_random_uuid()::text, $2, 'connecting', $3, $4, $5) ON CONFLICT DO NOTHING RETURNING tenant_id),
     counters AS (INSERT INTO tenant_counters (tenant_id) SELECT tenant_id FROM created),
     drain AS (INSERT INTO drains (tenant_id) SELECT tenant_id FROM created),
     -- 3: being connected (GROUPS in src/tenants/standing.ts).
     state AS (INSERT INTO tenant_states (tenant_id, need) SELECT tenant_id, 3 FROM created)
     SELECT tenant_id FROM created`,
    [tenantId, storableText(name), retentionDays, retentionPolicy, webhookSetup],
  );
  return count === 1 ? 'created' : 'exists';
}

export async function getTenant(db: Queryable, tenantId: TenantId): Promise<Tenant | null> {
  const { rows } = await db.query<Tenant>(`SELECT ${TENANT_COLUMNS} FROM tenants WHERE tenant_id = $1`, [tenantId]);
  return rows[0] ?? null;
}

export interface TenantPage {
  /** The last tenant of the page before; the empty text begins. */
  readonly after?: TenantId;
  readonly limit: number;
  /** Part of the id or the name, capitals or not. */
  readonly search?: string;
}

/** A page of tenants, by id. */
export async function listTenants(
  db: Queryable,
  { after = '', limit, search = '' }: TenantPage,
): Promise<readonly Tenant[]> {
  const { rows } = await db.query<Tenant>(
    `SELECT ${TENANT_COLUMNS} FROM tenants
     WHERE tenant_id > $1 AND ($3 = '' OR strpos(tenant_id, lower($3)) > 0 OR strpos(lower(name), lower($3)) > 0)
     ORDER BY tenant_id LIMIT $2`,
    [after, limit, storableText(search)],
  );
  return rows;
}

/** The tenant as it is now, or null when there is none. */
export async function updateTenant(db: Queryable, tenantId: TenantId, change: TenantChange): Promise<Tenant | null> {
  const params: Param[] = [tenantId];
  const assignments: string[] = [];
  const set = (column: string, value: Param): void => {
    assignments.push(`${column} = $${params.push(value)}`);
  };
  const { organization, disconnectAsked, disconnectedAt, retentionDays, ...texts } = change;
  const json = (value: unknown): Param => (value === null ? null : jsonbText(value));
  if (organization !== undefined) set(CHANGEABLE.organization, json(organization));
  if (disconnectAsked !== undefined) set(CHANGEABLE.disconnectAsked, json(disconnectAsked));
  if (disconnectedAt !== undefined) set(CHANGEABLE.disconnectedAt, disconnectedAt);
  if (retentionDays !== undefined) set(CHANGEABLE.retentionDays, retentionDays);
  for (const key of Object.keys(texts) as (keyof typeof texts)[]) {
    const value = texts[key];
    if (value !== undefined) set(CHANGEABLE[key], storableText(value));
  }
  if (assignments.length === 0) return await getTenant(db, tenantId);
  const { rows } = await db.query<Tenant>(
    `UPDATE tenants SET ${assignments.join(', ')} WHERE tenant_id = $1 RETURNING ${TENANT_COLUMNS}`,
    params,
  );
  return rows[0] ?? null;
}

/**
 * Withdraws every connect link of the tenant. `changesUntil`: until then new ones may change things although it is connected. Returns the tenant,
 * for a new link; null when there is none.
 */
export async function withdrawConnectLinks(
  db: Queryable,
  tenantId: TenantId,
  changesUntil: Date | null = null,
): Promise<Tenant | null> {
  const { rows } = await db.query<Tenant>(
    `UPDATE tenants SET connect_link_epoch = connect_link_epoch + 1, connect_link_changes_until = $2
     WHERE tenant_id = $1 RETURNING ${TENANT_COLUMNS}`,
    [tenantId, changesUntil],
  );
  return rows[0] ?? null;
}
