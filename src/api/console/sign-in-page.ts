import { html, type Piece } from '../pages/html.ts';
import type { Page } from '../pages/layout.ts';
import { field } from './pieces.ts';

/** A form that was sent when the session had ended: kept until its sender has signed in, and then asked about. */
export interface HeldForm {
  /** A path of the console. */
  readonly action: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

interface SignInPage {
  /** Where to go then. */
  readonly to: string;
  readonly held?: HeldForm | undefined;
  readonly wrongKey?: boolean;
}

export function signInPage({ to, held, wrongKey = false }: SignInPage): Page {
  const errors = wrongKey
    ? [{ field: 'key', message: 'This is no operator key. Check that you copied all of it.' }]
    : [];
  return {
    title: 'Sign in',
    assets: ['console.css'],
    main: html`<h1>Sign in to the console</h1>
${held && html`<div class="note warn"><p><b>Your session had ended, so nothing was done yet.</b></p><p>Sign in, and you will be asked whether to do it. What you typed is kept.</p></div>`}
<form class="card" method="post" action="/console/sign-in">
<input type="hidden" name="to" value="${to}">
${held && heldFields(held)}
${field({ form: 'sign-in', name: 'key', label: 'Operator key', type: 'password', autocomplete: 'current-password', errors, maxLength: 500, hint: html`One of <code>OPERATOR_KEYS</code>. <code>npm start</code> prints one.` })}
<button>Sign in</button>
</form>`,
  };
}

function heldFields({ action, fields }: HeldForm): Piece {
  return html`<input type="hidden" name="held-action" value="${action}"><input type="hidden" name="held-fields" value="${JSON.stringify(fields)}">`;
}

/** After the sign-in: what was to be done, and whether to do it now. */
export function heldPage({ action, fields }: HeldForm): Page {
  const typed = fields.filter(([, value]) => value !== '');
  const back = action.replace(/\/[^/]+$/, '');
  return {
    title: 'Do it now?',
    assets: ['console.css'],
    main: html`<h1>Do it now?</h1>
<p class="lead">You are signed in again. This was not done, because your session had ended:</p>
<div class="card"><dl class="facts"><div class="fact"><dt>What</dt><dd><code>${action.replace('/console/tenants/', '')}</code></dd></div>
${typed.map(([name, value]) => html`<div class="fact"><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></div>
<form class="actions" method="post" action="${action}">${fields.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}<button>Do it now</button><a class="button plain" href="${back === '/console/tenants' ? '/console' : back}">Leave it</a></form>`,
  };
}
