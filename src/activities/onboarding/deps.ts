import type { GladlyClient } from '../../gladly/client.ts';
import type { GladlyHost } from '../../gladly/host.ts';
import type { Queues } from '../../queue/provision.ts';
import type { Db } from '../../store/db.ts';
import type { SecretBox } from '../../store/secret-box.ts';
import type { TenantWorkflows } from '../../tenants/workflows.ts';

/** What the onboarding activities need of the world. */
export interface OnboardingDeps {
  readonly db: Db;
  readonly secretBox: SecretBox;
  readonly queues: Queues;
  readonly gladly: GladlyFor;
  readonly workflows: Pick<TenantWorkflows, 'startExtraction' | 'credentialsChanged' | 'endExtraction'>;
  /** `GLADLY_EXTRA_HOSTS`: allowed besides Gladly's own. */
  readonly extraHosts: readonly string[];
  /** Where Gladly reaches us; webhook URLs begin with it. No slash at its end. */
  readonly publicUrl: string;
  readonly now: () => Date;
}

/** A client for one user's token, at the pace that onboarding allows itself (paced-gladly.ts). */
export type GladlyFor = (host: GladlyHost, user: { readonly email: string; readonly apiToken: string }) => GladlyClient;
