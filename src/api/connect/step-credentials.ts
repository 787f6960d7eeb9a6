import { z } from 'zod';
import type { FieldError } from '../../contracts/api-error.ts';
import type { OnboardingStatus, StepName } from '../../contracts/onboarding.ts';
import { problemRemedy, problemSentence } from '../../contracts/problems.ts';
import { parseGladlyHost } from '../../gladly/host.ts';
import { type Html, html } from '../pages/html.ts';
import { card, type StepView } from './card.ts';
import { type Check, checkList } from './checks.ts';
import { stepOf } from './states.ts';
import { type ConnectUrls, postTo } from './urls.ts';

/** What the form takes. */
export const credentialsForm = z.object({
  domain: z.string().min(1, 'Enter your Gladly domain.').max(500, 'This is too long for a domain.'),
  email: z.email('Enter the email address of the user from step 1, such as idiomatic@your-company.com.').max(320),
  apiToken: z
    .string()
    .min(1, 'Enter the API token from step 1.')
    .max(500, 'This is too long for an API token.')
    .regex(/^\S*$/, 'An API token has no spaces in it. Copy it once more.'),
});

export interface CredentialsStep {
  readonly onboarding: OnboardingStatus;
  readonly state: StepView;
  /** As Gladly calls itself: not shown before it was found. */
  readonly organization: string | null;
  /** As Gladly has it, once it was found. */
  readonly host: string | null;
  /** As it was entered last. */
  readonly submittedHost: string | null;
  readonly urls: ConnectUrls;
  /** What was wrong with the form that was just sent, and what it held besides the token. */
  readonly refused?: Refused | undefined;
  /** The holder of the link may enter others. */
  readonly mayChange: boolean;
}

export interface Refused {
  readonly errors: readonly FieldError[];
  readonly given: Readonly<Record<string, string>>;
  /** Not for what it holds: it was sent too often. */
  readonly tooOften?: boolean;
}

/** Steps whose problems are resolved by entering other values. */
const ENTERED: readonly StepName[] = ['credentials', 'domain', 'token'];

/** Step 2: what we need, and what Gladly says to it. */
export function credentialsStep(step: CredentialsStep): Html {
  const { onboarding, urls, refused, mayChange } = step;
  const given = onboarding.credentialsVersion > 0;
  const ask =
    !given || refused !== undefined || ENTERED.some((name) => stepOf(onboarding, name)?.state === 'needs_you');
  const checks = given && html`<h3>What we check</h3>${checkList('checks-2', checksOf(step), urls.recheck)}`;
  const form = html`<p>We keep the token encrypted and never show it again. We use it to read from your Gladly, and to create the webhook if you ask us to.</p>${theForm(step)}`;
  const enter = ask
    ? html`${given && html`<h3>Enter it again</h3>`}${form}`
    : html`<details id="change"><summary>Enter another domain, user or token</summary>${form}</details>`;
  const body = html`${checks}${mayChange && enter}`;
  return card({ number: 2, title: 'Tell us your domain, user and token', state: step.state, body });
}

function checksOf({ onboarding, organization, host }: CredentialsStep): readonly Check[] {
  const found =
    host === null
      ? 'Your Gladly was found'
      : html`Your Gladly was found: ${organization !== null && html`<b>${organization}</b> at `}<b>${host}</b>`;
  const words: readonly (readonly [StepName, string, Html | string])[] = [
    ['provision', 'A place for your events', 'A place for your events is ready'],
    ['domain', 'Your Gladly domain', found],
    ['token', 'Email address and API token', 'Email address and API token work'],
    ['roles', 'The roles API User, Agent and Administrator', 'The user has the roles it needs'],
  ];
  return words.flatMap(([name, asks, done]) => {
    const step = stepOf(onboarding, name);
    return step ? [{ step, asks, done }] : [];
  });
}

function theForm({ urls, refused, submittedHost }: CredentialsStep): Html {
  const errorOf = (field: string): string | null =>
    refused?.errors
      .filter((it) => it.field === field)
      .map((it) => it.message)
      .join(' ') || null;
  const first = ['domain', 'email', 'apiToken'].find((field) => errorOf(field) !== null);
  const says = (field: string): Html =>
    html`<p class="says${errorOf(field) !== null && ' bad'}" id="${field}-says" aria-live="polite">${errorOf(field)}</p>`;
  const state = (field: string): Html =>
    html`${errorOf(field) !== null && html` aria-invalid="true"`}${first === field && html` autofocus`}`;
  return html`<form id="credentials" ${postTo(urls.credentials, 'replace')} hx-morph-skip novalidate autocomplete="off">
<div class="field"><label for="domain">Gladly domain</label>
<p class="hint" id="domain-hint">The address at which you open Gladly, such as <i>acme.gladly.com</i>. You may paste all of it.</p>
<input id="domain" name="domain" required maxlength="500" value="${refused?.given['domain'] ?? submittedHost}" aria-describedby="domain-hint domain-says" autocapitalize="none" spellcheck="false" inputmode="url" hx-get="${urls.domain}" hx-trigger="input changed delay:250ms" hx-target="#domain-says" hx-swap="outerMorph" hx-sync="this:replace"${state('domain')}>
${says('domain')}</div>
<div class="field"><label for="email">Email address of the user</label>
<p class="hint" id="email-hint">Of the user from step 1, not your own.</p>
<input id="email" name="email" type="email" required maxlength="320" value="${refused?.given['email']}" aria-describedby="email-hint email-says" autocapitalize="none" spellcheck="false" autocomplete="off" data-check="email-says" data-good="This can be an email address." data-bad="This is not a whole email address yet."${state('email')}>
${says('email')}</div>
<div class="field"><label for="apiToken">API token</label>
<p class="hint" id="apiToken-hint">The one that Gladly showed once in step 1.</p>
<input id="apiToken" name="apiToken" type="password" required maxlength="500" pattern="[^\\s@]{8,}" aria-describedby="apiToken-hint apiToken-says" autocomplete="off" data-check="apiToken-says" data-good="This can be a token." data-bad="This is no token: it is short, or has a space or an @ in it. Copy it once more."${state('apiToken')}>
${says('apiToken')}</div>
<p class="actions"><button>Check and save</button></p>
</form>`;
}

/** What we understood of a domain, while it is being typed. Gladly is not asked yet. */
export function domainHint(typed: string, extraHosts: readonly string[]): Html {
  const says = (look: string, words: Html | string): Html =>
    html`<p class="says${look}" id="domain-says" aria-live="polite">${words}</p>`;
  if (typed.trim() === '') return says('', '');
  const parsed = parseGladlyHost(typed, extraHosts);
  if (parsed.ok) return says(' good', html`We understood: your Gladly is <b>${parsed.host.name}</b>`);
  return says(' bad', `${problemSentence(parsed.problem)} ${problemRemedy(parsed.problem)}`);
}
