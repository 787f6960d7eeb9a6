import type { OnboardingStatus } from '../../contracts/onboarding.ts';
import { type Html, html } from '../pages/html.ts';
import { time } from '../pages/times.ts';
import { connected } from './connected.ts';
import type { Progress } from './progress.ts';
import { statesOf } from './states.ts';
import { credentialsStep, type Refused } from './step-credentials.ts';
import { userStep } from './step-user.ts';
import { webhookStep } from './step-webhook.ts';
import type { ConnectUrls } from './urls.ts';

/** What one answer shows and no other: a form that was refused, a key that was just made. */
export interface JustNow {
  readonly refused?: Refused | undefined;
  readonly newKey?: string | undefined;
}

/** The part of the page that follows what happens. */
export function progressPart(progress: Progress, urls: ConnectUrls, justNow: JustNow = {}): Html {
  const { onboarding, tenant } = progress;
  if (onboarding === null) return html`${stale(progress)}${notToldNow}`;
  const states = statesOf(onboarding);
  const done = onboarding.state === 'done';
  const steps = html`${userStep(states.user)}
${credentialsStep({
  onboarding,
  state: states.credentials,
  organization: organizationName(tenant.organization),
  host: tenant.host ?? progress.submittedHost,
  submittedHost: progress.submittedHost,
  urls,
  refused: justNow.refused,
  mayChange: progress.rights.credentials,
})}
${webhookStep({ onboarding, progress, state: states.webhook, urls, newKey: justNow.newKey })}`;
  return html`${stale(progress)}<p class="standing ${lookOf(onboarding)}" id="now" role="status">${states.now}</p>
${done && connected(progress)}
${!(progress.rights.credentials || progress.rights.key) && onlyShows}
${steps}`;
}

const onlyShows = html`<p class="quiet" id="only-shows">All of this works, so this page only shows it. To change something, ask your contact at Idiomatic for a link with which you can.</p>`;

const notToldNow = html`<p class="note busy" id="now" role="status">We are getting ready for you. This page goes on by itself.</p>`;

/** Temporal or the workers are out: what is shown is what was so when they were last seen. */
function stale({ liveness: { out, asOf } }: Progress): Html | null {
  if (out === null) return null;
  const since = asOf === null ? '' : html` What you see is as of ${time(asOf)}.`;
  return html`<p class="note warn" id="as-of"><strong>We cannot tell at the moment how far it is.</strong>${since} What you entered is safe. This page goes on trying.</p>`;
}

/** How soon to look again, in milliseconds: while something is being checked a person watches. */
export function nextLookMs({ onboarding }: Progress): number {
  if (onboarding === null) return 2_000;
  const busy = onboarding.steps.some(({ state }) => state === 'checking' || state === 'retrying');
  return busy ? 600 : 1_500;
}

function lookOf({ state, step, steps }: OnboardingStatus): string {
  if (state === 'done') return 'good';
  return steps.find(({ name }) => name === step)?.state === 'needs_you' ? 'warn' : 'busy';
}

/** As Gladly's GET /organization calls it. */
function organizationName(organization: unknown): string | null {
  if (typeof organization !== 'object' || organization === null || !('name' in organization)) return null;
  return typeof organization.name === 'string' && organization.name !== '' ? organization.name : null;
}
