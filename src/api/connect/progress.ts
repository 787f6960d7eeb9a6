import { ApiError } from '../../contracts/api-error.ts';
import { PING } from '../../contracts/onboarding.ts';
import type { TenantId } from '../../contracts/tenant.ts';
import type { Tenants } from '../../tenants/commands.ts';
import type { Arrivals, ReadModel, TenantView } from '../../tenants/read-model.ts';
import { type Rights, rightsOf } from './rights.ts';

/** All that the connect page tells of a tenant. Counts and states: no secret, no customer's text. */
export interface Progress extends TenantView, Arrivals {
  readonly webhookUrl: string;
  /** What the holder of the link may change. */
  readonly rights: Rights;
}

/** Throws ApiError (not_found) when there is no such tenant any more, and StoreError. */
export async function progressOf(
  { read, tenants }: { readonly read: ReadModel; readonly tenants: Pick<Tenants, 'webhookUrl'> },
  { tenantId }: { readonly tenantId: TenantId },
): Promise<Progress> {
  const [view, arrivals] = await Promise.all([read.tenant(tenantId), read.arrivals(tenantId)]);
  if (view === null) throw new ApiError('not_found', 'There is no such tenant.');
  return { ...view, ...arrivals, webhookUrl: tenants.webhookUrl(tenantId), rights: rightsOf(view, new Date()) };
}

/** Everything but Gladly's test calls. */
export function eventsArrived(arrived: Progress['arrived']): { readonly count: number; readonly lastAt: Date | null } {
  const events = [...arrived].filter(([type]) => type !== PING).map(([, it]) => it);
  const last = Math.max(...events.map(({ lastAt }) => lastAt.getTime()));
  return { count: events.reduce((sum, it) => sum + it.count, 0), lastAt: events.length === 0 ? null : new Date(last) };
}
