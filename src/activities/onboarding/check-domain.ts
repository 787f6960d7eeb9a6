import type { StepInput, StepResult } from '../../contracts/onboarding.ts';
import { problem } from '../../contracts/problems.ts';
import { GladlyError } from '../../gladly/errors.ts';
import { parseGladlyHost } from '../../gladly/host.ts';
import type { Organization } from '../../gladly/schemas.ts';
import { getCredentials } from '../../store/credentials.ts';
import { getTenant, updateTenant } from '../../store/tenants.ts';
import type { OnboardingDeps } from './deps.ts';
import { describe, questions } from './evidence.ts';
import { openGladly } from './opening.ts';
import { done, needsYou, resultOf } from './results.ts';

const ORGANIZATION = 'GET /api/v1/organization';

/** Is there a Gladly organization at the domain? Whether token and user are right is the next step's question. */
export function checkDomain(deps: OnboardingDeps) {
  return async (input: StepInput, signal: AbortSignal): Promise<StepResult> => {
    const asked = questions(deps.now);
    try {
      const opened = await openGladly(deps, input);
      if (!opened.ok) return needsYou([opened.problem], asked.evidence);
      const { host } = opened.client;
      try {
        const { value } = await opened.client.getOrganization(signal);
        const canonical = canonicalName(value, deps) ?? host.name;
        asked.note(ORGANIZATION, {
          answered: '200',
          means: `the organization ${value.id}, whose domain is ${canonical}${canonical === host.name ? '' : `; it is asked at ${host.name}`}`,
        });
        // Conversations of two organizations must never stand under one tenant.
        const is = await isTheSame(deps, input.tenantId, host.name, value);
        if (is === 'another') return needsYou([problem('organization_changed', { domain: canonical })], asked.evidence);
        if (is === 'not_certain')
          return needsYou([problem('organization_not_certain', { domain: canonical })], asked.evidence);
        await updateTenant(deps.db, input.tenantId, { host: canonical, organization: value });
        return done(asked.evidence);
      } catch (error) {
        if (!(error instanceof GladlyError)) throw error;
        return await withoutOrganization(error);
      }

      async function withoutOrganization(error: GladlyError): Promise<StepResult> {
        switch (error.kind) {
          case 'unauthorized':
          case 'forbidden':
            // Only a Gladly asks who we are; a domain without one answers 404 (gladly.md 2.4).
            asked.note(ORGANIZATION, { answered: describe(error), means: 'a Gladly answers at the domain' });
            return (await isTheSame(deps, input.tenantId, host.name, null)) === 'same'
              ? done(asked.evidence)
              : needsYou([problem('organization_not_certain', { domain: host.name })], asked.evidence);
          case 'moved':
            // Sent on to a page of its own, such as a sign-in: no REST API is there.
            asked.note(ORGANIZATION, describe(error));
            return needsYou([problem('not_gladly', { domain: host.name })], asked.evidence);
          default:
            asked.note(ORGANIZATION, describe(error));
            return resultOf(error, asked);
        }
      }
    } catch (error) {
      return resultOf(error, asked);
    }
  };
}

/** The name that Gladly itself gives the organization's address; null when it gives none that is Gladly's. */
function canonicalName({ gladlyUrl }: Organization, { extraHosts }: OnboardingDeps): string | null {
  if (gladlyUrl === undefined) return null;
  const parsed = parseGladlyHost(gladlyUrl, extraHosts);
  return parsed.ok ? parsed.host.name : null;
}

/**
 * Whether the organization at `hostName` is the one that extraction has read for this tenant before; `same` also when it has read none. `found` null:
 * Gladly does not say which it is. Then, or when it did not say so before, only the same address is certain.
 */
async function isTheSame(
  { db, secretBox }: OnboardingDeps,
  tenantId: string,
  hostName: string,
  found: Organization | null,
): Promise<'same' | 'another' | 'not_certain'> {
  const tenant = await getTenant(db, tenantId);
  if (!tenant || tenant.adoptedCredentialsVersion === null) return 'same';
  const known = tenant.organization;
  const knownId = typeof known === 'object' && known !== null && 'id' in known ? known.id : null;
  if (found !== null && knownId !== null) return knownId === found.id ? 'same' : 'another';
  const adopted = await getCredentials(db, secretBox, tenantId, 'adopted');
  return hostName === tenant.host || hostName === adopted?.host ? 'same' : 'not_certain';
}
