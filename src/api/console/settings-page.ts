import type { FieldError } from '../../contracts/api-error.ts';
import { RETENTION_DAYS } from '../../contracts/tenant.ts';
import type { RetentionPolicy, Tenant } from '../../store/tenants.ts';
import { type Html, html, type Piece } from '../pages/html.ts';
import { time } from '../pages/times.ts';
import { copyable, field, form } from './pieces.ts';
import { tenantAddress } from './tenant-frame.ts';

/** A form that did not fit, as it was sent. */
export interface Refused {
  readonly form: string;
  readonly errors: readonly FieldError[];
  readonly given: Readonly<Record<string, string>>;
}

export interface Settings {
  readonly tenant: Tenant;
  readonly webhookUrl: string;
  /** Null for a viewer. */
  readonly connectUrl: string | null;
  /** A form of this page that is sent twice is one wish. */
  readonly mark: string;
  readonly refused?: Refused | undefined;
}

const POLICIES: readonly (readonly [RetentionPolicy, string])[] = [
  ['extend', 'Keep them 14 days, and tell us'],
  ['archive', 'Keep them 14 days, then take them into the ledger, and tell us'],
  ['alert', 'Only tell us'],
];

/** Everything about a tenant that an operator can change. */
export function settingsView(settings: Settings): Html {
  const { tenant } = settings;
  const isOver = tenant.state === 'disconnected' || tenant.state === 'cancelled';
  return html`<div class="columns">
${section('Name and retention', 'settings', retention(settings))}
${!isOver && section('Connect link', 'connect-link', connectLink(settings))}
${section('Gladly user', 'credentials', credentials(settings))}
${!isOver && section('Webhook', 'webhook', webhook(settings))}
${isOver ? section('Erase all data', 'erase', erase(settings)) : section('Disconnect', 'disconnect', disconnect(settings))}
</div>`;
}

const section = (title: string, id: string, body: Piece): Html =>
  html`<section class="card" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>${body}</section>`;

/** What was typed and refused is shown again, beside what is wrong with it. */
function typed({ refused }: Settings, name: string) {
  const errors = refused?.form === name ? refused.errors : [];
  const given = (key: string): string | undefined => (refused?.form === name ? refused.given[key] : undefined);
  return { errors, given };
}

function retention(settings: Settings): Piece {
  const { tenantId, name, retentionDays, retentionPolicy } = settings.tenant;
  const { errors, given } = typed(settings, 'settings');
  const chosen = given('retentionPolicy') ?? retentionPolicy;
  return form({
    id: 'settings',
    action: tenantAddress(tenantId, '/settings'),
    button: 'Save',
    fields: html`${field({ form: 'settings', name: 'name', label: 'Name', value: given('name') ?? name, maxLength: 200, errors })}
${field({ form: 'settings', name: 'retentionDays', label: 'Days that the queue keeps events', type: 'number', min: RETENTION_DAYS.min, max: RETENTION_DAYS.max, value: given('retentionDays') ?? retentionDays, hint: 'While extraction is paused they wait there. SQS keeps them 14 days at most.', errors })}
<div class="field"><label for="settings-retentionPolicy">When events are about to expire</label><select id="settings-retentionPolicy" name="retentionPolicy">${POLICIES.map(([value, label]) => html`<option value="${value}"${value === chosen && html` selected`}>${label}</option>`)}</select></div>
${settings.refused?.form === 'settings' && errors.length === 0 && html`<p class="field"><label class="check"><input type="checkbox" name="discardWaitingEvents" value="yes"> Events that wait may be deleted.</label></p>`}`,
  });
}

function connectLink({ tenant, connectUrl }: Settings): Piece {
  const { tenantId, state, connectLinkChangesUntil: until } = tenant;
  const withdraw = (id: string, button: string, mayChange: boolean): Html =>
    form({
      id,
      action: tenantAddress(tenantId, '/connect-link'),
      button,
      kind: 'plain',
      fields: mayChange && html`<input type="hidden" name="mayChange" value="yes">`,
    });
  return html`<p>For the customer: it leads through the set-up, and shows this tenant only. It is valid for 30 days.</p>
${state === 'connected' && html`<p>${until !== null && until > new Date() ? html`It may change things until ${time(until)}, and only shows them from then on.` : 'As the tenant is connected it only shows how that is, and changes nothing that works.'}</p>`}
${connectUrl === null ? html`<p>Only an operator is shown it: whoever has it can change things.</p>` : html`<p class="copy">${copyable('connect-url', connectUrl, 'the connect link')}</p>`}
${withdraw('connect-link', 'Withdraw it and make a new one', false)}
${state === 'connected' && withdraw('connect-link-changes', 'Withdraw it and make one that may change things for 3 days', true)}`;
}

function credentials(settings: Settings): Piece {
  const { tenantId, host } = settings.tenant;
  const { errors, given } = typed(settings, 'credentials');
  return html`<p>They are checked at once. Extraction uses them as soon as Gladly has accepted them, and the old ones until then.</p>
${form({
  id: 'credentials',
  action: tenantAddress(tenantId, '/credentials'),
  button: 'Check and use them',
  fields: html`${field({ form: 'credentials', name: 'domain', label: 'Gladly domain', value: given('domain') ?? host ?? '', hint: 'Such as acme.gladly.com', maxLength: 500, errors })}
${field({ form: 'credentials', name: 'email', label: 'Email address of the integration user', type: 'email', value: given('email') ?? '', maxLength: 320, errors })}
${field({ form: 'credentials', name: 'apiToken', label: 'API token of that user', type: 'password', maxLength: 500, hint: 'It is stored encrypted and never shown again.', errors })}`,
})}`;
}

function webhook({ tenant, webhookUrl, mark }: Settings): Piece {
  const { tenantId, webhookSetup } = tenant;
  const other = webhookSetup === 'by_hand' ? 'create_for_me' : 'by_hand';
  return html`<dl class="facts"><div class="fact"><dt>Webhook URL</dt><dd class="copy">${copyable('webhook-url', webhookUrl, 'the webhook URL')}</dd></div>
<div class="fact"><dt>Made</dt><dd>${webhookSetup === 'by_hand' ? 'by the customer, by hand' : 'by us, through Gladly’s API'}</dd></div></dl>
<div class="actions">${form({ id: 'webhook-key', action: tenantAddress(tenantId, '/webhook-key'), button: 'Make a new webhook key', kind: 'plain', fields: html`<input type="hidden" name="mark" value="${mark}">` })}
${form({ id: 'webhook-setup', action: tenantAddress(tenantId, '/webhook-setup'), button: other === 'by_hand' ? 'Let the customer make the webhook' : 'Make the webhook for the customer', kind: 'plain', fields: html`<input type="hidden" name="setup" value="${other}">` })}</div>
<p class="quiet">${webhookSetup === 'by_hand' ? 'A new key is shown once.' : 'We put a new key into the webhook ourselves.'} The old one goes on working until the new one is seen in use, or for 7 days.</p>`;
}

function disconnect(settings: Settings): Piece {
  const { tenantId } = settings.tenant;
  const { errors } = typed(settings, 'disconnect');
  return html`<p>Ends extraction, and takes back what we made in Gladly and SQS. What is stored stays.</p>
${form({
  id: 'disconnect',
  action: tenantAddress(tenantId, '/disconnect'),
  button: 'Disconnect',
  kind: 'danger',
  fields: html`${field({ form: 'disconnect', name: 'reason', label: 'Why?', maxLength: 500, errors })}
${confirmation('disconnect', tenantId, errors)}
<p class="field"><label class="check"><input type="checkbox" name="discardWaitingEvents" value="yes"> Delete events that still wait. Without this they are kept, and you are asked.</label></p>`,
})}`;
}

function erase(settings: Settings): Piece {
  const { tenantId } = settings.tenant;
  const { errors } = typed(settings, 'erase');
  return html`<p>Removes everything that is stored of this tenant: conversations, events and history. There is no way back.</p>
${form({ id: 'erase', action: tenantAddress(tenantId, '/erase'), button: 'Erase all data', kind: 'danger', fields: confirmation('erase', tenantId, errors) })}`;
}

const confirmation = (name: string, tenantId: string, errors: readonly FieldError[]): Piece =>
  field({ form: name, name: 'confirm', label: `To be sure, type ${tenantId}`, maxLength: 40, errors });

/** A new webhook key, for once. */
/** `webhookKey` is null where we made the webhook: then we put the new key into it ourselves. */
export function newKeyView(
  tenantId: string,
  { webhookUrl, webhookKey }: { readonly webhookUrl: string; readonly webhookKey: string | null },
): Html {
  if (webhookKey === null) {
    return html`<section class="card" aria-labelledby="key-title"><h2 id="key-title">New webhook key</h2>
<p>We made this webhook, so we give it the new key ourselves: there is nothing to copy. The old one goes on working until the new one is seen in use, or for 7 days.</p>
<p class="actions"><a class="button" href="${tenantAddress(tenantId)}">Back to the tenant</a></p></section>`;
  }
  return html`<section class="card" aria-labelledby="key-title"><h2 id="key-title">New webhook key</h2>
<p><b>This is the only time that the key is shown.</b> Copy it now. The old one goes on working until this one is seen in use, or for 7 days.</p>
${keyFacts({ webhookUrl, webhookKey })}
<p>In Gladly, under Settings &gt; App Developer Tools &gt; Webhooks, it is the value of the HTTP header <code>x-api-key</code>.</p>
<p class="actions"><a class="button" href="${tenantAddress(tenantId)}">I have copied it</a></p></section>`;
}

export const keyFacts = ({
  webhookUrl,
  webhookKey,
}: {
  readonly webhookUrl: string;
  readonly webhookKey: string;
}): Html =>
  html`<dl class="facts"><div class="fact"><dt>Webhook URL</dt><dd class="copy">${copyable('made-url', webhookUrl, 'the webhook URL')}</dd></div>
<div class="fact"><dt>Webhook key</dt><dd class="copy">${copyable('made-key', webhookKey, 'the webhook key')}</dd></div></dl>`;
