import type { StepInput } from '../../contracts/onboarding.ts';
import { type Problem, problem } from '../../contracts/problems.ts';
import type { GladlyClient } from '../../gladly/client.ts';
import { parseGladlyHost } from '../../gladly/host.ts';
import { getCredentials } from '../../store/credentials.ts';
import type { OnboardingDeps } from './deps.ts';

export type Opened =
  | {
      readonly ok: true;
      readonly client: GladlyClient;
      readonly email: string;
      /** The same token, said to be of somebody else. */
      readonly clientAs: (email: string) => GladlyClient;
    }
  | { readonly ok: false; readonly problem: Problem };

/** The customer's Gladly through the credentials of this version, which are decrypted here and go no further. */
export async function openGladly(deps: OnboardingDeps, input: StepInput): Promise<Opened> {
  const credentials = await getCredentials(deps.db, deps.secretBox, input.tenantId, input.credentialsVersion);
  // Only while newer ones are on their way to the workflow: adopting those deletes the older.
  if (!credentials) return { ok: false, problem: problem('credentials_missing') };
  const parsed = parseGladlyHost(credentials.host, deps.extraHosts);
  if (!parsed.ok) return parsed;
  const { email, apiToken } = credentials;
  const clientAs = (address: string): GladlyClient => deps.gladly(parsed.host, { email: address, apiToken });
  return { ok: true, client: clientAs(email), email, clientAs };
}
