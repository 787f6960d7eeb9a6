import { randomUUID } from 'node:crypto';
import { type Html, html } from '../pages/html.ts';
import type { Page } from '../pages/layout.ts';
import { time } from '../pages/times.ts';
import type { Opened } from './access.ts';
import type { Progress } from './progress.ts';
import { type JustNow, progressPart } from './progress-part.ts';
import type { ConnectUrls } from './urls.ts';

/** The whole connect page. Its progress is brought up to date while it is open. */
export function connectPage(
  { tenant, expiresAt }: Opened,
  progress: Progress,
  urls: ConnectUrls,
  justNow?: JustNow,
): Page {
  if (hasEnded(progress)) return endedPage;
  return {
    title: `Connect ${tenant.name}`,
    assets: ['connect.css'],
    reload: isBusy(progress) ? { seconds: 3, url: urls.page } : undefined,
    main: html`<h1>Connect ${tenant.name} to Idiomatic</h1>
<p class="lead">Three steps, about ten minutes. You need to be an Administrator in Gladly. You can leave at any time and come back with the same link, on any device.</p>
<noscript><p class="note">Your browser runs no JavaScript here: <a href="${urls.page}">load the page anew</a> to see how far it is.</p></noscript>
<div id="progress">${progressPart(progress, urls, justNow)}</div>
${following(urls.live)}
<p class="quiet">This link works until ${time(expiresAt)}. Whoever has it can see this page: pass it on only to those who set this up.</p>`,
  };
}

/**
 * Has the progress follow the stream. Each page has an element of its own for it, so that the answer to a form brings its own stream, which
 * begins with how it is then: the answer may come later than what the old stream told, and the old stream does not tell it twice.
 */
const following = (url: string): Html =>
  html`<div id="live-${randomUUID()}" hx-sse:connect="${url}" hx-trigger="load, every 10s" hx-target="#progress" hx-swap="innerMorph"></div>`;

/** Cancelled or disconnected: what is shown is only that. */
export function hasEnded({ tenant, onboarding }: Progress): boolean {
  const { state } = tenant;
  const taken = onboarding?.state === 'cancelling' || onboarding?.state === 'cancelled';
  return taken || state === 'cancelled' || state === 'disconnected';
}

/** While we check and no form is open, a browser without JavaScript may load the page by itself. */
function isBusy({ onboarding }: Progress): boolean {
  if (onboarding === null) return true;
  const current = onboarding.steps.find(({ name }) => name === onboarding.step);
  return current?.state === 'checking' || current?.state === 'retrying';
}

const endedPage: Page = {
  title: 'Not connected any more',
  main: html`<h1>This connection has been ended</h1>
<p class="lead">Idiomatic does not read from this Gladly any more.</p>
<p>To connect it again, ask your contact at Idiomatic for a new link. If a webhook for Idiomatic is left in Gladly, you may delete it under <b>Settings &gt; App Developer Tools &gt; Webhooks</b>.</p>`,
};

/** One page for every link that opens nothing: it tells what to do, and nothing of any tenant. */
export const deadLinkPage: Page = {
  title: 'This link does not work',
  main: html`<h1>This link does not work</h1>
<p class="lead">It has expired, was withdrawn, or was not copied whole.</p>
<ul><li>If you copied it from a message, copy it once more, from its beginning to its end.</li>
<li>If it still does not work, ask your contact at Idiomatic for a new link. Nothing that you have set up is lost: the new link goes on where you stopped.</li></ul>`,
};
