import { type Html, html } from './html.ts';

/** How page.js shows a time: as a date and clock (`at`), or as so long ago or so far ahead (`ago`, kept up to date). */
export type TimeStyle = 'at' | 'ago';

/**
 * A time in the reader's zone, the exact one on hover. Without JavaScript it stays UTC, and says so.
 * Throws RangeError for what is no time.
 */
export function time(at: Date | string, style: TimeStyle = 'at'): Html {
  const iso = new Date(at).toISOString();
  const utc = `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
  return html`<time datetime="${iso}" title="${iso}" data-time="${style}">${utc}</time>`;
}
