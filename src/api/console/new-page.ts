import type { FieldError } from '../../contracts/api-error.ts';
import { RETENTION_DAYS } from '../../contracts/tenant.ts';
import { type Html, html } from '../pages/html.ts';
import { copyable, field, form } from './pieces.ts';
import { keyFacts } from './settings-page.ts';
import { tenantAddress } from './tenant-frame.ts';

/** The form that begins a new tenant. `mark` makes a form that is sent twice one wish. */
export function newTenantMain(
  mark: string,
  errors: readonly FieldError[] = [],
  given: Readonly<Record<string, string>> = {},
): Html {
  return html`<h1>Connect a tenant</h1>
<div class="card">${form({
    id: 'new',
    action: '/console/new',
    button: 'Make the connect link',
    fields: html`<input type="hidden" name="mark" value="${mark}">
${field({ form: 'new', name: 'name', label: 'Name of the customer', value: given['name'], maxLength: 200, errors })}
${field({ form: 'new', name: 'tenantId', label: 'Id', value: given['tenantId'], maxLength: 40, pattern: '[a-z0-9]([a-z0-9\\-]{0,38}[a-z0-9])?', hint: 'Small letters, digits and dashes. It is part of the webhook URL and never changes.', errors })}
${field({ form: 'new', name: 'retentionDays', label: 'Days that the queue keeps events', type: 'number', min: RETENTION_DAYS.min, max: RETENTION_DAYS.max, value: given['retentionDays'] ?? RETENTION_DAYS.default, errors })}`,
  })}</div>`;
}

export interface MadeTenant {
  readonly tenantId: string;
  readonly webhookUrl: string;
  readonly webhookKey: string;
  readonly connectUrl: string;
}

export function madeTenantMain(made: MadeTenant): Html {
  return html`<h1>The tenant is there</h1>
<section class="card" aria-labelledby="link-title"><h2 id="link-title">Connect link</h2><p>Send it to the customer, or follow it yourself. It leads through the set-up and is valid for 30 days.</p>
<p class="copy">${copyable('connect-url', made.connectUrl, 'the connect link')}</p>
<p class="actions"><a class="button" href="${made.connectUrl}">Go through the set-up now</a><a class="button plain" href="${tenantAddress(made.tenantId)}">See the tenant</a></p></section>
<section class="card" aria-labelledby="key-title"><h2 id="key-title">For a webhook made by hand</h2><p><b>This is the only time that the key is shown.</b> If we make the webhook for the customer, nobody needs it.</p>${keyFacts(made)}</section>`;
}
