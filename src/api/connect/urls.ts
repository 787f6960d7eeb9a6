import { type Html, html } from '../pages/html.ts';

/** The addresses behind one link. */
export interface ConnectUrls {
  readonly page: string;
  readonly live: string;
  readonly domain: string;
  readonly credentials: string;
  readonly recheck: string;
  readonly webhook: string;
  readonly key: string;
}

/** `token` was verified, so it needs no encoding. */
export function connectUrls(token: string): ConnectUrls {
  const page = `/connect/${token}`;
  return {
    page,
    live: `${page}/live`,
    domain: `${page}/domain`,
    credentials: `${page}/credentials`,
    recheck: `${page}/recheck`,
    webhook: `${page}/webhook`,
    key: `${page}/key`,
  };
}

/**
 * The attributes of a form that posts there. With htmx the answer goes into the page: `update` changes what is different and leaves what
 * is being typed or read; `replace` puts all of it in anew. It is all of the page that is answered, so that a link that was withdrawn
 * meanwhile, or an error, is shown too.
 */
export function postTo(url: string, answer: 'update' | 'replace' = 'update'): Html {
  const swap = answer === 'update' ? 'innerMorph' : 'innerHTML';
  return html`method="post" action="${url}" hx-post="${url}" hx-target="#main" hx-select="#main > *" hx-swap="${swap}"`;
}
