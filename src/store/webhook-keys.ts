import { createHash, randomBytes } from 'node:crypto';
import type { TenantId } from '../contracts/tenant.ts';
import type { Db, Queryable, Tx } from './db.ts';

export interface WebhookKey {
  readonly keyId: string;
  readonly tenantId: TenantId;
  /** SHA-256 of the key's text. A key is 256 random bits, so it cannot be guessed from its hash. */
  readonly hash: Buffer;
  readonly createdAt: Date;
  /** Null: until it is revoked. */
  readonly validUntil: Date | null;
  readonly firstUsedAt: Date | null;
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
}

export interface IssuedKey {
  readonly keyId: string;
  /** The key itself, 43 characters. It is stored nowhere: show it now, or never. */
  readonly key: string;
}

const KEY_BYTES = 32;
const COLUMNS = `key_id AS "keyId", tenant_id AS "tenantId", hash, created_at AS "createdAt", valid_until AS "validUntil",
  first_used_at AS "firstUsedAt", last_used_at AS "lastUsedAt", revoked_at AS "revokedAt"`;

/** What a delivery's `x-api-key` is compared by, in constant time. */
export const hashWebhookKey = (key: string): Buffer => createHash('sha256').update(key).digest();

/**
 * What becomes of a tenant's other live keys. A date: they end when the new key is first seen in use (recordKeyUses), or then, whichever is
 * sooner. `unused`: those that are still unused when the new one is seen end then, and one that is in use never does.
 */
export type Replaces = { readonly until: Date } | 'unused';

/** Keys beside a newer one that nobody used: of a person who pressed the button again and again only so many stay. */
const MOST_UNUSED = 5;

/** Issues a key. Without `replaces` the tenant's other keys stay as they are. */
export async function issueWebhookKey(db: Db, tenantId: TenantId, replaces?: Replaces): Promise<IssuedKey> {
  const key = randomBytes(KEY_BYTES).toString('base64url');
  const keyId = randomBytes(9).toString('base64url');
  await db.transaction(async (tx) => {
    const revision = await nextRevision(tx);
    if (replaces === 'unused') {
      await tx.query(
        `UPDATE webhook_keys SET revoked_at = now(), revision = $2 WHERE key_id IN (
           SELECT key_id FROM webhook_keys
           WHERE tenant_id = $1 AND NOT ends_used AND first_used_at IS NULL AND revoked_at IS NULL
           ORDER BY created_at DESC, key_id OFFSET ${MOST_UNUSED - 1})`,
        [tenantId, revision],
      );
      await tx.query(
        'UPDATE webhook_keys SET replaced_by = $2, revision = $3 WHERE tenant_id = $1 AND first_used_at IS NULL AND revoked_at IS NULL',
        [tenantId, keyId, revision],
      );
    } else if (replaces !== undefined) {
      await tx.query(
        `UPDATE webhook_keys SET replaced_by = $2, valid_until = least(valid_until, $3::timestamptz), revision = $4
         WHERE tenant_id = $1 AND revoked_at IS NULL`,
        [tenantId, keyId, replaces.until, revision],
      );
    }
    await tx.query(
      'INSERT INTO webhook_keys (key_id, tenant_id, hash, ends_used, revision) VALUES ($1, $2, $3, $4, $5)',
      [keyId, tenantId, hashWebhookKey(key), replaces !== 'unused', revision],
    );
  });
  return { keyId, key };
}

/** The tenant's keys that are accepted at this time, newest first. */
export async function liveWebhookKeys(db: Queryable, tenantId: TenantId, now: Date): Promise<readonly WebhookKey[]> {
  const { rows } = await db.query<WebhookKey>(
    `SELECT ${COLUMNS} FROM webhook_keys
     WHERE tenant_id = $1 AND revoked_at IS NULL AND (valid_until IS NULL OR valid_until > $2)
     ORDER BY created_at DESC, key_id`,
    [tenantId, now],
  );
  return rows;
}

export interface KeyChanges {
  /** Ask for what is newer than this the next time. */
  readonly revision: number;
  /** Revoked ones among them: drop those. `validUntil` is for the reader to check at each use. */
  readonly keys: readonly WebhookKey[];
}

/**
 * All keys that changed after this revision; after 0, all. Cheap when nothing did (one index lookup), so an API process may ask every
 * 2 s. Revisions are given out and committed in the same order, so none is ever skipped.
 */
export async function webhookKeysSince(db: Queryable, revision: number): Promise<KeyChanges> {
  const { rows } = await db.query<Omit<WebhookKey, 'keyId'> & { keyId: string | null; current: number }>(
    `SELECT r.revision AS current, ${COLUMNS} FROM webhook_key_revision r
     LEFT JOIN webhook_keys k ON k.revision > $1 AND ($1 > 0 OR k.revoked_at IS NULL) ORDER BY k.revision`,
    [revision],
  );
  return {
    revision: rows[0]?.current ?? revision,
    keys: rows.flatMap(({ keyId, current: _, ...key }) => (keyId === null ? [] : [{ keyId, ...key }])),
  };
}

/** Revokes one key at once. False when it is no live key of this tenant. */
export async function revokeWebhookKey(db: Db, tenantId: TenantId, keyId: string): Promise<boolean> {
  return await db.transaction(async (tx) => {
    const revision = await nextRevision(tx);
    const { count } = await tx.query(
      'UPDATE webhook_keys SET revoked_at = now(), revision = $3 WHERE tenant_id = $1 AND key_id = $2 AND revoked_at IS NULL',
      [tenantId, keyId, revision],
    );
    return count === 1;
  });
}

/** Revokes all keys of a tenant: it is disconnected or removed. Returns how many were live. */
export async function revokeWebhookKeys(db: Db, tenantId: TenantId): Promise<number> {
  return await db.transaction(async (tx) => {
    const revision = await nextRevision(tx);
    const { count } = await tx.query(
      'UPDATE webhook_keys SET revoked_at = now(), revision = $2 WHERE tenant_id = $1 AND revoked_at IS NULL',
      [tenantId, revision],
    );
    return count;
  });
}

export interface KeyUse {
  readonly keyId: string;
  readonly usedAt: Date;
}

/**
 * Records when keys were last used: once in a while for all of them, never once a request. A key that is seen for the first time ends the
 * ones it replaces (see Replaces). Returns the ids of the keys that ended.
 */
export async function recordKeyUses(db: Db, uses: readonly KeyUse[]): Promise<readonly string[]> {
  if (uses.length === 0) return [];
  const sorted = [...uses].sort((a, b) => (a.keyId < b.keyId ? -1 : 1));
  return await db.transaction(async (tx) => {
    const { rows } = await tx.query<{ keyId: string; first: boolean }>(
      `UPDATE webhook_keys k
       SET last_used_at = greatest(k.last_used_at, u.last), first_used_at = coalesce(k.first_used_at, u.first)
       FROM (SELECT key_id, min(used_at) AS first, max(used_at) AS last
             FROM unnest($1::text[], $2::timestamptz[]) AS use(key_id, used_at) GROUP BY key_id) u
       WHERE k.key_id = u.key_id
       RETURNING k.key_id AS "keyId", EXISTS (
         SELECT FROM webhook_keys old WHERE old.replaced_by = k.key_id AND old.revoked_at IS NULL
           AND (k.ends_used OR old.first_used_at IS NULL)) AS first`,
      [sorted.map(({ keyId }) => keyId), sorted.map(({ usedAt }) => usedAt)],
    );
    const replacing = rows.filter(({ first }) => first).map(({ keyId }) => keyId);
    return replacing.length === 0 ? [] : await endReplaced(tx, replacing);
  });
}

async function endReplaced(tx: Tx, replacing: readonly string[]): Promise<readonly string[]> {
  const revision = await nextRevision(tx);
  const { rows } = await tx.query<{ keyId: string }>(
    `UPDATE webhook_keys old SET revoked_at = now(), revision = $2 FROM webhook_keys k
     WHERE old.replaced_by = ANY($1) AND k.key_id = old.replaced_by AND old.revoked_at IS NULL
       AND (k.ends_used OR old.first_used_at IS NULL) RETURNING old.key_id AS "keyId"`,
    [replacing, revision],
  );
  return rows.map(({ keyId }) => keyId);
}

/** Its row lock lasts until the commit: a higher revision is never visible before a lower one. */
async function nextRevision(tx: Tx): Promise<number> {
  const { rows } = await tx.query<{ revision: number }>(
    'UPDATE webhook_key_revision SET revision = revision + 1 RETURNING revision',
  );
  return rows[0]?.revision ?? 0;
}
