import { type AssetName, assetUrl } from './assets.ts';
import { type Html, html, type Piece } from './html.ts';

export interface Page {
  /** Title of the tab. Begins with what is particular to the page. */
  readonly title: string;
  /** What is inside `<main id="main">`. */
  readonly main: Html;
  /** Beside the product's name at the top: a menu, who is signed in. */
  readonly header?: Piece;
  /** A column to read (the connect page), or as wide as the window (tables). */
  readonly width?: 'column' | 'wide';
  /** More files than every page has: scripts, style sheets. Plain scripts run in this order. */
  readonly assets?: readonly AssetName[];
  /**
   * Without JavaScript the page loads itself anew after so many seconds. Not for pages with a form: it would be emptied. `url`: of the
   * page; without it, a browser that stands at a `#` in it would only jump there once more.
   */
  readonly reload?: { readonly seconds: number; readonly url: string } | undefined;
}

/**
 * htmx without anything that the content security policy forbids: no eval, no style element, no style attribute (it would carry those of
 * old elements over to new ones while they settle). The attribute `open` of `details` is the
 * reader's own: an update leaves it alone. A failed request changes nothing on the page; page.js says that it failed.
 */
const HTMX_CONFIG = JSON.stringify({
  includeIndicatorCSS: false,
  history: false,
  defaultTimeout: 20_000,
  defaultSettleDelay: 0,
  morphIgnore: ['data-htmx-powered', 'open'],
  noSwap: [204, 304, '5xx'],
  sse: { reconnectDelay: 500, reconnectMaxDelay: 5_000 },
});

const EVERY_PAGE: readonly AssetName[] = ['htmx.js'];

/** A whole document. */
export function layout({ title, main, header, width = 'column', assets = [], reload }: Page): Html {
  const all = [...EVERY_PAGE, ...assets];
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="htmx-config" content="${HTMX_CONFIG}">
<title>${title} – Idiomatic for Gladly</title>
<link rel="icon" href="${assetUrl('icon.svg')}" type="image/svg+xml">
<link rel="stylesheet" href="${assetUrl('style.css')}">
${all.filter((name) => name.endsWith('.css')).map((name) => html`<link rel="stylesheet" href="${assetUrl(name)}">`)}
${reload && html`<noscript><meta http-equiv="refresh" content="${reload.seconds}; url=${reload.url}"></noscript>`}
<script type="module" src="${assetUrl('page.js')}"></script>
${all.filter((name) => name.endsWith('.js')).map((name) => html`<script defer src="${assetUrl(name)}"></script>`)}
</head>
<body class="${width}">
<a class="skip" href="#main">Skip to content</a>
<header class="top"><p class="brand"><span class="mark" aria-hidden="true"></span>Idiomatic <span>for Gladly</span></p>${header}</header>
<div id="connection" class="connection" role="status" hidden></div>
<main id="main" tabindex="-1">
${main}
</main>
</body>
</html>`;
}
