import type { TenantId } from '../contracts/tenant.ts';
import { DecryptionError } from '../crypto/aead.ts';
import type { Db, Queryable } from './db.ts';
import { UnknownTenantError } from './errors.ts';
import { keyIdOfSecret, type SecretBox, type SecretContext } from './secret-box.ts';

/** What Gladly's Basic authentication takes. In memory only: never logged, never in an error. */
export interface GladlyCredentials {
  /** `acme.gladly.com`; not secret, stored as it is. */
  readonly host: string;
  readonly email: string;
  readonly apiToken: string;
}

export interface StoredCredentials extends GladlyCredentials {
  readonly version: number;
  readonly createdAt: Date;
}

/**
 * Stores new credentials beside the older ones and returns their version, higher than any before, and than any that the onboarding was told of: it looks
 * at newer ones only. Throws UnknownTenantError.
 */
export async function putCredentials(
  db: Db,
  secretBox: SecretBox,
  tenantId: TenantId,
  credentials: GladlyCredentials,
): Promise<number> {
  const { host, email, apiToken } = credentials;
  return await db.transaction(async (tx) => {
    const { rows } = await tx.query<{ version: number; incarnation: string }>(
      `UPDATE tenants SET credentials_version = 1 + greatest(credentials_version,
         (SELECT (onboarding->>'credentialsVersion')::integer FROM tenant_states WHERE tenant_id = $1))
       WHERE tenant_id = $1
       RETURNING credentials_version AS version, incarnation`,
      [tenantId],
    );
    const [owner] = rows;
    if (owner === undefined) throw new UnknownTenantError(tenantId);
    const { version } = owner;
    const encrypted = secretBox.encrypt(JSON.stringify({ email, apiToken }), contextOf({ tenantId, ...owner }));
    await tx.query('INSERT INTO credentials (tenant_id, version, host, sealed) VALUES ($1, $2, $3, $4)', [
      tenantId,
      version,
      host,
      encrypted,
    ]);
    return version;
  });
}

/** False when the newest credentials are sealed under a key that this process does not have; true also when there are none. */
export async function opensCredentials(db: Queryable, secretBox: SecretBox, tenantId: TenantId): Promise<boolean> {
  try {
    await getCredentials(db, secretBox, tenantId, 'newest');
    return true;
  } catch (error) {
    if (error instanceof DecryptionError) return false;
    throw error;
  }
}

/**
 * The credentials of this version, or the newest, or those that extraction uses; null when there are none.
 * Throws UnknownKeyError or TamperedError (crypto/aead.ts).
 */
export async function getCredentials(
  db: Queryable,
  secretBox: SecretBox,
  tenantId: TenantId,
  which: number | 'newest' | 'adopted' = 'adopted',
): Promise<StoredCredentials | null> {
  const version =
    which === 'newest'
      ? 't.credentials_version'
      : which === 'adopted'
        ? 't.adopted_credentials_version'
        : '$2::integer';
  const { rows } = await db.query<{
    version: number;
    incarnation: string;
    host: string;
    encrypted: string;
    createdAt: Date;
  }>(
    `SELECT c.version, t.incarnation, c.host, c.sealed AS encrypted, c.created_at AS "createdAt"
     FROM tenants t JOIN credentials c ON c.tenant_id = t.tenant_id AND c.version = ${version} WHERE t.tenant_id = $1`,
    typeof which === 'number' ? [tenantId, which] : [tenantId],
  );
  const row = rows[0];
  if (row === undefined) return null;
  const { version: found, host, encrypted, createdAt } = row;
  const { email, apiToken } = JSON.parse(secretBox.decrypt(encrypted, contextOf({ tenantId, ...row }))) as Pick<
    GladlyCredentials,
    'email' | 'apiToken'
  >;
  return { version: found, host, email, apiToken, createdAt };
}

/**
 * From now on extraction uses this version; older ones are deleted. Idempotent; an older version never replaces a newer one.
 * False when there is no such version (any more).
 */
export async function adoptCredentials(db: Db, tenantId: TenantId, version: number): Promise<boolean> {
  return await db.transaction(async (tx) => {
    const { count } = await tx.query(
      `UPDATE tenants t SET adopted_credentials_version = $2
       WHERE tenant_id = $1 AND coalesce(adopted_credentials_version, 0) <= $2
         AND EXISTS (SELECT FROM credentials c WHERE c.tenant_id = $1 AND c.version = $2)`,
      [tenantId, version],
    );
    if (count === 0) return false;
    await tx.query('DELETE FROM credentials WHERE tenant_id = $1 AND version < $2', [tenantId, version]);
    return true;
  });
}

/**
 * Deletes the versions below this one that extraction does not use: it is the one that is being checked now, and those were refused or replaced
 * before they were accepted.
 */
export async function deleteOlderCredentials(db: Queryable, tenantId: TenantId, version: number): Promise<void> {
  await db.query(
    `DELETE FROM credentials c USING tenants t
     WHERE c.tenant_id = $1 AND t.tenant_id = $1 AND c.version < $2 AND c.version IS DISTINCT FROM t.adopted_credentials_version`,
    [tenantId, version],
  );
}

/** Forgets all credentials of a tenant: it is disconnected. Versions given out are not given out again. */
export async function deleteCredentials(db: Db, tenantId: TenantId): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.query('UPDATE tenants SET adopted_credentials_version = NULL WHERE tenant_id = $1', [tenantId]);
    await tx.query('DELETE FROM credentials WHERE tenant_id = $1', [tenantId]);
  });
}

/** Stored credentials as a change of keys sees them. */
export interface SealedCredentials {
  readonly tenantId: TenantId;
  readonly version: number;
  /** Null when the seal names none. */
  readonly keyId: string | null;
  /** Why they cannot be opened, for people; null when they can. */
  readonly why: string | null;
}

interface SealedRow extends Sealed {
  readonly sealed: string;
}

/** Rows that are read, and opened, at a time. */
const PAGE = 200;

/** All stored credentials of all tenants: under which key each is, and whether it opens. */
export async function* sealedCredentials(db: Queryable, secretBox: SecretBox): AsyncGenerator<SealedCredentials> {
  for await (const row of sealedRows(db)) {
    const opened = open(secretBox, row);
    const { tenantId, version, sealed } = row;
    yield { tenantId, version, keyId: keyIdOfSecret(sealed), why: 'why' in opened ? opened.why : null };
  }
}

/**
 * Seals all stored credentials under the first key that are under an older one; those that do not open stay as they are. One statement each, which
 * does nothing when the row was replaced or deleted meanwhile. Answers how many it changed.
 */
export async function resealCredentials(db: Queryable, secretBox: SecretBox): Promise<number> {
  let resealed = 0;
  for await (const row of sealedRows(db)) {
    const { tenantId, version, sealed } = row;
    if (keyIdOfSecret(sealed) === secretBox.firstKeyId) continue;
    const opened = open(secretBox, row);
    if ('why' in opened) continue;
    const anew = secretBox.encrypt(opened.text, contextOf(row));
    const { count } = await db.query(
      'UPDATE credentials SET sealed = $4 WHERE tenant_id = $1 AND version = $2 AND sealed = $3',
      [tenantId, version, sealed, anew],
    );
    resealed += count;
  }
  return resealed;
}

function open(secretBox: SecretBox, row: SealedRow): { readonly text: string } | { readonly why: string } {
  try {
    return { text: secretBox.decrypt(row.sealed, contextOf(row)) };
  } catch (error) {
    if (error instanceof DecryptionError) return { why: error.message };
    throw error;
  }
}

async function* sealedRows(db: Queryable): AsyncGenerator<SealedRow> {
  for (let after: readonly [TenantId, number] = ['', 0]; ; ) {
    const { rows } = await db.query<SealedRow>(
      `SELECT c.tenant_id AS "tenantId", c.version, t.incarnation, c.sealed FROM credentials c JOIN tenants t USING (tenant_id)
       WHERE (c.tenant_id, c.version) > ($1, $2::integer) ORDER BY c.tenant_id, c.version LIMIT ${PAGE}`,
      after,
    );
    yield* rows;
    const last = rows.at(-1);
    if (rows.length < PAGE || last === undefined) return;
    after = [last.tenantId, last.version];
  }
}

interface Sealed {
  readonly tenantId: TenantId;
  readonly incarnation: string;
  readonly version: number;
}

/** Bound to the version and to the life of the tenant too: no older token can be put back in the place of a newer one. */
const contextOf = ({ tenantId, incarnation, version }: Sealed): SecretContext => ({
  tenantId,
  // A tenant from before there were incarnations has none, and its seals say nothing of it.
  purpose: `credentials/${incarnation === '' ? '' : `${incarnation}/`}${version}`,
});

/** The host of the newest credentials, found or not; null before any were given. It is no secret, so nothing has to be decrypted for it. */
export async function submittedHost(db: Queryable, tenantId: TenantId): Promise<string | null> {
  const { rows } = await db.query<{ host: string }>(
    'SELECT host FROM credentials WHERE tenant_id = $1 ORDER BY version DESC LIMIT 1',
    [tenantId],
  );
  return rows[0]?.host ?? null;
}
