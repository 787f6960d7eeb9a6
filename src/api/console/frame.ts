import type { Operator } from '../http/operators.ts';
import type { AssetName } from '../pages/assets.ts';
import { type Html, html, type Piece } from '../pages/html.ts';
import type { Page } from '../pages/layout.ts';

export interface ConsolePage {
  readonly title: string;
  readonly main: Html;
  readonly operator: Operator;
  readonly assets?: readonly AssetName[];
  readonly reload?: Page['reload'];
}

/** A page of the console for whoever is signed in. */
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
