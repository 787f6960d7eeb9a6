import type { Operator } from '../http/operators.ts';
import type { AssetName } from '../pages/assets.ts';
import { type Html, html, type Piece } from '../pages/html.ts';
import type { Page } from '../pages/layout.ts';
import { note } from './pieces.ts';

const TABS = [
  ['', 'Now'],
  ['/steps', 'Set-up'],
  ['/rejected', 'Rejected events'],
  ['/history', 'History'],
  ['/settings', 'Settings'],
] as const;
export type Tab = (typeof TABS)[number][0];

export interface TenantPage {
  readonly tenant: { readonly tenantId: string; readonly name: string };
  readonly tab: Tab;
  readonly operator: Operator;
  readonly body: Html;
  /** What was done, or why not. */
  readonly said?: Piece;
  readonly assets?: readonly AssetName[];
  readonly reload?: Page['reload'];
}

export const tenantAddress = (tenantId: string, tab = ''): string => `/console/tenants/${tenantId}${tab}`;

/** A page of one tenant. */
export function tenantPage({ tenant, tab, operator, body, said, ...rest }: TenantPage): Page {
  const { tenantId, name } = tenant;
  const tabs = TABS.filter(([path]) => path !== '/settings' || operator.role === 'operator');
  const tabName = TABS.find(([path]) => path === tab)?.[1] ?? '';
  return consolePage({
    ...rest,
    title: `${name}: ${tabName}`,
    operator,
    main: html`<p class="up"><a href="/console">All tenants</a></p>
<h1>${name} <span class="id">${tenantId}</span></h1>
<nav class="tabs" aria-label="About this tenant"><ul>${tabs.map(([path, label]) => html`<li><a href="${tenantAddress(tenantId, path)}"${path === tab && html` aria-current="page"`}>${label}</a></li>`)}</ul></nav>
${said}
${body}`,
  });
}

const DONE: Readonly<Record<string, string>> = {
  pause: 'Extraction was asked to pause. It finishes what it has in hand; events go on arriving and wait.',
  resume: 'Extraction was asked to go on.',
  recheck: 'It is being looked at again.',
  settings: 'The settings are saved.',
  credentials: 'The new credentials are being checked. The steps below show how far it is.',
  'webhook-setup': 'The choice is saved, and the webhook is being looked at again.',
  'webhook-key': 'A new key is being made and put into the webhook in Gladly. Nobody needs to copy it.',
  'connect-link': 'All connect links made before are withdrawn. This is a new one.',
  disconnect: 'The tenant is being disconnected.',
  'call-off': 'The tenant is kept. What was taken back already is being made again.',
};

/** What the page says after a form was sent; nothing for a word that it does not know. */
export function doneNote(done: unknown): Piece {
  const text = typeof done === 'string' && Object.hasOwn(DONE, done) ? DONE[done] : undefined;
  return text === undefined ? null : html`<div role="status">${note('good', html`<p>${text}</p>`)}</div>`;
}

export const refusedNote = (message: string): Piece =>
  html`<div role="alert">${note('bad', html`<p><b>This was not done.</b> ${message}</p>`)}</div>`;

export interface ConsolePage {
  readonly title: string;
  readonly main: Html;
  readonly operator: Operator;
  readonly assets?: readonly AssetName[];
  readonly reload?: Page['reload'];
}

/** A page of the console for a signed-in operator. */
export function consolePage({ title, main, operator, assets = [], reload }: ConsolePage): Page {
  return {
    title,
    width: 'wide',
    assets: ['console.css', ...assets],
    header: header(operator),
    main: html`<div id="session" role="status"></div>
${main}`,
    reload,
  };
}

function header({ name, role }: Operator): Piece {
  return html`<nav class="menu" aria-label="Console"><a href="/console">Tenants</a>${role === 'operator' && html`<a href="/console/new">Connect a tenant</a>`}</nav>
<form class="signed-in" method="post" action="/console/sign-out"><span>${name}${role === 'viewer' && html` <span class="quiet">(may only look)</span>`}</span> <button class="small plain">Sign out</button></form>`;
}
