import type { ExtractionTuning, Request } from '../../contracts/extraction.ts';
import type { TenantId } from '../../contracts/tenant.ts';
import type { GladlyClient } from '../../gladly/client.ts';
import type { GladlyHost } from '../../gladly/host.ts';
import type { Queues } from '../../queue/provision.ts';
import type { Db } from '../../store/db.ts';
import type { Sealer } from '../../store/sealer.ts';

/** What the onboarding activities need of the world. */
export interface OnboardingPorts {
  readonly db: Db;
  readonly sealer: Sealer;
  readonly queues: Queues;
  readonly gladly: GladlyFor;
  readonly extraction: ExtractionControl;
  /** `GLADLY_EXTRA_HOSTS`: allowed besides Gladly's own. */
  readonly extraHosts: readonly string[];
  /** Where Gladly reaches us; webhook URLs begin with it. No slash at its end. */
  readonly publicUrl: string;
  readonly now: () => Date;
}

/** A client for one user's token, at the pace that onboarding allows itself (paced-gladly.ts). */
export type GladlyFor = (host: GladlyHost, user: { readonly email: string; readonly apiToken: string }) => GladlyClient;

/** A tenant's extraction workflow, from outside. */
export interface ExtractionControl {
  /** Starts it, or tells the one that runs that the credentials work. `pause`: it starts paused. */
  startOrTell(
    tenantId: TenantId,
    start: { readonly pause: Request | null; readonly tuning: ExtractionTuning },
  ): Promise<void>;
  /** Does nothing when none runs. */
  credentialsChanged(tenantId: TenantId): Promise<void>;
  /** Asks it to end, and waits up to `waitMs`. True when none runs any more. */
  end(tenantId: TenantId, request: Request, waitMs: number): Promise<boolean>;
}
