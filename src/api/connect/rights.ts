import { problemMendedBy } from '../../contracts/problems.ts';
import type { TenantView } from '../../tenants/read-model.ts';

/** What the holder of a connect link may change. */
export interface Rights {
  /** Enter domain, user and token. */
  readonly credentials: boolean;
  /** Choose who makes the webhook. */
  readonly webhook: boolean;
  /** Have a new webhook key made. */
  readonly key: boolean;
  /** Have it looked at again. */
  readonly recheck: boolean;
}

type RightsFacts = Pick<TenantView, 'tenant' | 'onboarding' | 'extraction' | 'keyProblem'>;

/**
 * Until a tenant is connected its link changes everything. Then it shows, and changes only what does not work and what the customer can mend: nobody
 * who came by the link can take away what works. An operator may open more, for a time (Tenants.renewConnectLink).
 */
export function rightsOf({ tenant, onboarding, extraction, keyProblem }: RightsFacts, now: Date): Rights {
  const { state, connectLinkChangesUntil: until } = tenant;
  if (state !== 'connected' || (until !== null && until > now))
    return { credentials: true, webhook: true, key: true, recheck: true };
  const { phase, problem } = extraction ?? {};
  const credentials = phase === 'needs_attention' && problem != null && problemMendedBy(problem) === 'customer';
  const asked = onboarding?.steps.find(({ name }) => name === onboarding.step);
  const isWebhook = asked?.name === 'webhook' || asked?.name === 'proof';
  const webhook = isWebhook && asked.state === 'needs_you';
  // Anybody can call the webhook with a wrong key: what follows from it must not cut off the right one, and another key beside it does not.
  const key = webhook || keyProblem !== null;
  return { credentials, webhook, key, recheck: credentials || key || onboarding?.state === 'in_progress' };
}
