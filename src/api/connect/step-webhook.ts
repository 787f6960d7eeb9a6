import { type OnboardingStatus, PING, type StepName, WEBHOOK_KEY_HEADER } from '../../contracts/onboarding.ts';
import type { Problem } from '../../contracts/problems.ts';
import { LEGACY_EVENT, MERGE_EVENT, SUBSCRIBED_EVENTS } from '../../gladly/events.ts';
import type { Arrived } from '../../tenants/read-model.ts';
import { type Html, html } from '../pages/html.ts';
import { time } from '../pages/times.ts';
import { card, type StepView } from './card.ts';
import { type Check, checkList, recheckButton } from './checks.ts';
import type { Progress } from './progress.ts';
import { isWebhookUntouched, stepOf } from './states.ts';
import { type ConnectUrls, postTo } from './urls.ts';

export interface WebhookStep {
  readonly onboarding: OnboardingStatus;
  readonly progress: Progress;
  readonly state: StepView;
  readonly urls: ConnectUrls;
  /** A key that was just made: it is on this one answer, and on no other. */
  readonly newKey?: string | undefined;
}

/** Step 3: the webhook in Gladly, made by us or by hand, and what has come through it. */
export function webhookStep(step: WebhookStep): Html {
  const { onboarding, state } = step;
  const done = state === 'done';
  const forMe = onboarding.webhookSetup === 'create_for_me';
  const notBegun = isWebhookUntouched(onboarding);
  return card({
    number: 3,
    title: 'Let Gladly tell us what happens',
    state,
    body: html`<p>Gladly tells us through a webhook: it sends us the numbers of conversations that changed, never what was said.</p>
${!done && step.progress.rights.webhook && (forMe ? beingCreated(step) : choice(step))}
${!notBegun && html`<h3>What we check</h3>${checkList('checks-3', checksOf(step), step.urls.recheck)}`}
${byHand(step)}
${events(step)}`,
  });
}

function choice({ urls }: WebhookStep): Html {
  return html`<div class="note good"><p><strong>The quick way: we create it for you.</strong></p>
<p>One webhook, with our address, the ten events, <code>${MERGE_EVENT}</code> and a key of its own. You find it in Gladly under <b>Settings &gt; App Developer Tools &gt; Webhooks</b>.</p>
${setupButton(urls.webhook, 'create_for_me', 'Create it for me')}</div>`;
}

function beingCreated({ urls }: WebhookStep): Html {
  return html`<p>We create the webhook, because you asked us to.</p>${setupButton(urls.webhook, 'by_hand', 'I would rather do it by hand', 'plain small')}`;
}

function setupButton(url: string, setup: OnboardingStatus['webhookSetup'], label: string, look = ''): Html {
  return html`<form ${postTo(url)} class="actions">
<input type="hidden" name="setup" value="${setup}"><button class="${look}">${label}</button></form>`;
}

function checksOf({ onboarding }: WebhookStep): readonly Check[] {
  const words: readonly (readonly [StepName, string, string])[] = [
    ['webhook', 'The webhook in Gladly', 'The webhook in Gladly is as it should be'],
    ['proof', 'Gladly’s test call, with the right key', 'Gladly has reached us with the right key'],
    ['extraction', 'Reading your conversations', 'Reading your conversations has begun'],
  ];
  return words.flatMap(([name, asks, done]) => {
    const step = stepOf(onboarding, name);
    return step ? [{ step, asks, done }] : [];
  });
}

/** Every field of Gladly's form, in its order (step 3 of Gladly's set-up article, gladly.md 1.6). */
function byHand(step: WebhookStep): Html {
  const { progress, urls, state, onboarding, newKey } = step;
  const fields = html`<ol class="todo"><li>In Gladly, open <b>Settings &gt; App Developer Tools &gt; Webhooks</b> and add a webhook.</li>
<li>Fill in its form with what is here.</li></ol>
<dl class="values">
${value('name', 'Name', 'Idiomatic', 'Anything by which you recognise it.')}
${value('url', 'Webhook URL', progress.webhookUrl)}
<div><dt>Events</dt><dd><span>The ten events below: select each.</span>${copyButton('ten-events', 'the ten events')}<code hidden id="ten-events">${SUBSCRIBED_EVENTS.join('\n')}</code><span class="quiet">And <code>${MERGE_EVENT}</code>: it is rare, and tells us when two customers become one.</span></dd></div>
<div><dt>Username, Password, Realm</dt><dd>Leave them empty.</dd></div>
${value('header', 'HTTP header: name', WEBHOOK_KEY_HEADER)}
${progress.rights.key && keyField(urls.key, newKey)}
</dl>
<ol class="todo" start="3"><li>Enable the webhook and save it. Gladly makes a test call to us at once, and this page shows that it came.</li></ol>
${state !== 'done' && progress.rights.recheck && recheckButton(urls.recheck, 'I have saved it: check now')}`;
  const open =
    newKey !== undefined ||
    (onboarding.webhookSetup === 'by_hand' && !isWebhookUntouched(onboarding) && state !== 'done');
  return html`<details id="by-hand"${open && html` open`}><summary>${state === 'done' ? 'The webhook’s fields' : 'By hand: the fields, ready to copy'}</summary>${fields}</details>`;
}

function value(id: string, label: string, text: string, hint?: string): Html {
  return html`<div><dt>${label}</dt><dd><code id="value-${id}">${text}</code>${copyButton(`value-${id}`, label)}${hint !== undefined && html`<span class="quiet">${hint}</span>`}</dd></div>`;
}

function copyButton(of: string, what: string): Html {
  return html`<button type="button" class="plain small js-only" data-copy="${of}" aria-live="polite">Copy<span class="visually-hidden"> ${what}</span></button>`;
}

/** A key is on the one page that answers the wish for it. Updates of that page leave it there; nothing brings it back. */
function keyField(url: string, newKey: string | undefined): Html {
  const another = (label: string): Html =>
    html`<form ${postTo(url, 'replace')}><button class="small plain">${label}</button></form>`;
  if (newKey === undefined) {
    return html`<div id="webhook-key"><dt>HTTP header: value</dt><dd><span>The webhook key. It is shown once, so make one when you are ready to copy it.</span>${another('Make a new key')}
<span class="quiet">A key that Gladly uses already goes on working.</span></dd></div>`;
  }
  return html`<div id="webhook-key" hx-morph-skip><dt>HTTP header: value</dt><dd><code id="value-key">${newKey}</code>${copyButton('value-key', 'the webhook key')}
<div class="note warn"><p><strong>Copy it now.</strong> This key is shown once and is on no other page.</p>${another('Make another')}</div></dd></div>`;
}

/** The test call and the ten events, ticked as they arrive. */
function events({ progress: { arrived }, onboarding }: WebhookStep): Html {
  const missing = missingEvents(onboarding);
  return html`<h3 id="events-title">The test call and the ten events</h3>
<p class="quiet">Each is ticked when it has arrived once. That can take days: Gladly sends an event when it happens.</p>
<ul class="ticks events" aria-labelledby="events-title">
${event('Test call', arrived.get(PING), false)}
${SUBSCRIBED_EVENTS.map((type) => event(type, arrived.get(type), missing.has(type)))}
</ul>`;
}

function event(type: string, seen: Arrived | undefined, missing: boolean): Html {
  const isLegacy = type === LEGACY_EVENT;
  return html`<li class="${missing ? 'wrong' : seen && 'done'}" data-event="${type}"><span class="tick" aria-hidden="true">${missing ? '✕' : seen ? '✓' : '○'}</span>
<span><code>${type}</code> ${missing && html`<b>not selected in Gladly</b>`}${
    seen
      ? html`<span class="quiet">arrived ${seen.count === 1 ? 'once' : `${seen.count} times`}, last ${time(seen.lastAt, 'ago')}</span>`
      : !missing && html`<span class="visually-hidden">not yet</span>`
  }${isLegacy && !seen && html`<span class="quiet">An old one: if Gladly does not offer it to you, leave it out.</span>`}</span></li>`;
}

/** As the check of the webhook names them. */
function missingEvents(onboarding: OnboardingStatus): ReadonlySet<string> {
  const webhook = stepOf(onboarding, 'webhook');
  const problems: readonly (Problem | null)[] = webhook ? [webhook.problem, ...webhook.furtherProblems] : [];
  return new Set(
    problems.flatMap((it) => (it?.code === 'webhook_events_missing' ? String(it.params.events).split(', ') : [])),
  );
}
