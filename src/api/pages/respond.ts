import type { ApiContext } from '../http/endpoints.ts';
import { compress, encodingFor } from './compression.ts';
import type { Html } from './html.ts';
import { layout, type Page } from './layout.ts';

/** Smaller than that, compression gains nothing. */
const WORTH_BYTES = 1_000;

export function sendPage(ctx: ApiContext, page: Page, status = 200): void {
  sendHtml(ctx, layout(page), status);
}

/** A piece of a page, for htmx. */
export function sendHtml(ctx: ApiContext, markup: Html, status = 200): void {
  const body = Buffer.from(markup.text);
  const encoding = body.length < WORTH_BYTES ? 'identity' : encodingFor(ctx);
  ctx.status = status;
  ctx.type = 'text/html; charset=utf-8';
  ctx.vary('accept-encoding');
  if (encoding !== 'identity') ctx.set('content-encoding', encoding);
  ctx.body = compress(body, encoding, false);
}
