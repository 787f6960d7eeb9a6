import type { Db } from '../../store/db.ts';
import { getTenant, listTenants } from '../../store/tenants.ts';
import { webhookKeysSince } from '../../store/webhook-keys.ts';
import type { KeySource } from './ports.ts';

/** For more tenants than this, paging through all tenants is cheaper than one query for each. */
const FEW_TENANTS = 20;
const PAGE = 500;

/** KeySource in Postgres. Each call rejects with StoreError when Postgres does. */
export function createKeySource(db: Db): KeySource {
  return {
    changes: (since) => webhookKeysSince(db, since),
    async queueUrls(tenantIds) {
      const found = new Map<string, string>();
      const note = (tenant: { readonly tenantId: string; readonly queueUrl: string | null } | null): void => {
        if (tenant !== null && tenant.queueUrl !== null) found.set(tenant.tenantId, tenant.queueUrl);
      };
      if (tenantIds.length <= FEW_TENANTS) {
        for (const tenantId of tenantIds) note(await getTenant(db, tenantId));
        return found;
      }
      for (let after: string | undefined = ''; after !== undefined; ) {
        const page = await listTenants(db, { after, limit: PAGE });
        page.forEach(note);
        after = page.length < PAGE ? undefined : page.at(-1)?.tenantId;
      }
      return found;
    },
  };
}
