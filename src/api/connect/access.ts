import type { Db } from '../../store/db.ts';
import { getTenant, type Tenant } from '../../store/tenants.ts';
import type { ConnectLinks } from '../../tenants/connect-links.ts';

/** What a link opens. */
export interface Opened {
  readonly tenant: Tenant;
  readonly expiresAt: Date;
}

/** Null for every link that is invalid, whatever the reason, so that it does not tell whether the tenant exists. */
export async function openLink(db: Db, links: ConnectLinks, token: string, now: Date): Promise<Opened | null> {
  const link = links.verify(token, now.getTime());
  if (link === null) return null;
  const tenant = await getTenant(db, link.tenantId);
  if (tenant?.connectLinkEpoch !== link.epoch || tenant.incarnation !== link.incarnation) return null;
  return { tenant, expiresAt: new Date(link.expiresAt) };
}
