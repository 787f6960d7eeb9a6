import { problem } from '../contracts/problems.ts';
import { DecryptionError } from '../crypto/aead.ts';
import { createGladlyClient } from '../gladly/client.ts';
import type { Connections } from '../gladly/connect.ts';
import { parseGladlyHost } from '../gladly/host.ts';
import type { Governor } from '../gladly/quota.ts';
import { getCredentials } from '../store/credentials.ts';
import type { Db } from '../store/db.ts';
import type { SecretBox } from '../store/secret-box.ts';
import type { DrainDeps } from './drain/drain.ts';

export interface GladlyAccess {
  readonly db: Db;
  readonly secretBox: SecretBox;
  readonly connections: Connections;
  readonly governors: (hostName: string) => Governor;
  readonly extraHosts: readonly string[];
}

/** Opens a tenant's Gladly with the credentials that were adopted, or says what is in the way. */
export function createGladlyAccess({
  db,
  secretBox,
  connections,
  governors,
  extraHosts,
}: GladlyAccess): DrainDeps['gladlyOf'] {
  return async (tenantId) => {
    const credentials = await getCredentials(db, secretBox, tenantId, 'adopted').catch((error: unknown) => {
      if (error instanceof DecryptionError) return 'unreadable' as const;
      throw error;
    });
    if (credentials === 'unreadable') return { problem: problem('credentials_unreadable') };
    if (credentials === null) return { problem: problem('credentials_missing') };
    const parsed = parseGladlyHost(credentials.host, extraHosts);
    if (!parsed.ok) return { problem: parsed.problem };
    const { email, apiToken } = credentials;
    const governor = governors(parsed.host.name);
    return { governor, client: createGladlyClient({ host: parsed.host, email, apiToken, governor, connections }) };
  };
}
