import type { FieldError } from '../../contracts/api-error.ts';
import type { NotedQuota } from '../../store/drains.ts';
import type { Liveness } from '../../tenants/liveness.ts';
import type { Tone } from '../../tenants/standing.ts';
import { type Html, html, type Piece } from '../pages/html.ts';
import { time } from '../pages/times.ts';

/** Small pieces of markup that every page of the console uses. */

export const badge = (label: string, tone: Tone): Html => html`<span class="badge ${tone}">${label}</span>`;

export const ago = (at: Date | string | null | undefined, otherwise = 'never'): Html =>
  at == null ? html`<span class="quiet">${otherwise}</span>` : time(at, 'ago');

export const note = (tone: Tone, text: Piece): Html =>
  html`<div class="note${tone !== 'quiet' && html` ${tone}`}">${text}</div>`;

/** A term and what it is just now. */
export const fact = (name: string, value: Piece, more?: Piece): Html =>
  html`<div class="fact"><dt>${name}</dt><dd>${value}${more != null && html` <span class="quiet">${more}</span>`}</dd></div>`;

export interface FieldOptions {
  readonly name: string;
  readonly label: string;
  readonly hint?: Piece;
  readonly type?: 'text' | 'email' | 'password' | 'number';
  readonly value?: string | number | undefined;
  readonly required?: boolean;
  readonly maxLength?: number;
  readonly min?: number;
  readonly max?: number;
  readonly autocomplete?: string;
  readonly pattern?: string;
  readonly errors?: readonly FieldError[];
  /** Id of the form: two forms of a page may have a field of the same name. */
  readonly form: string;
}

/** A labelled input with what is wrong with it. */
export function field(options: FieldOptions): Html {
  const { name, label, hint, type = 'text', value, required = true, errors = [], form, ...limits } = options;
  const id = `${form}-${name}`;
  const wrong = errors.filter((error) => error.field === name);
  const described = [hint != null && `${id}-hint`, wrong.length > 0 && `${id}-says`].filter(Boolean).join(' ');
  return html`<div class="field"><label for="${id}">${label}</label>
${hint != null && html`<p class="hint" id="${id}-hint">${hint}</p>`}
<input id="${id}" name="${name}" type="${type}" value="${value ?? ''}"${required && html` required`}${described !== '' && html` aria-describedby="${described}"`}${wrong.length > 0 && html` aria-invalid="true"`}${attribute('maxlength', limits.maxLength)}${attribute('min', limits.min)}${attribute('max', limits.max)}${attribute('pattern', limits.pattern)}${attribute('autocomplete', limits.autocomplete ?? 'off')}>
${wrong.length > 0 && html`<p class="says bad" id="${id}-says">${wrong.map(({ message }) => message).join(' ')}</p>`}</div>`;
}

const attribute = (name: string, value: string | number | undefined): Piece =>
  value === undefined ? null : html` ${name}="${value}"`;

export interface FormOptions {
  readonly action: string;
  readonly id: string;
  readonly fields: Piece;
  readonly button: string;
  readonly kind?: 'plain' | 'danger' | 'small' | 'small plain';
}

/**
 * A form that works without JavaScript. With it, the answer takes the place of the page's main part, so that nothing typed is lost when
 * the server is gone. Updates of the page leave it alone.
 */
export const form = ({ action, id, fields, button, kind }: FormOptions): Html =>
  html`<form id="${id}" method="post" action="${action}" hx-post="${action}" hx-target="#main" hx-select="#main" hx-swap="outerHTML" hx-morph-skip>
${fields}
<button${kind !== undefined && html` class="${kind}"`}>${button}</button>
</form>`;

/** A value to copy into another program. */
export const copyable = (id: string, value: string, what: string): Html =>
  html`<code id="${id}">${value}</code><button type="button" class="js-only small plain" data-copy="${id}">Copy<span class="visually-hidden"> ${what}</span></button>`;

/**
 * Has `target` follow the stream at this address. Each address is an element of its own: where the list is asked for something else, the
 * old stream goes with its element.
 */
export const following = (address: string, target: string): Html =>
  html`<div id="live-${Buffer.from(address).toString('base64url')}" hx-sse:connect="${address}" hx-sse:close="ended" hx-trigger="load, every 10s" hx-target="${target}" hx-swap="innerMorph"></div>`;

/** A drain notes it every 2 s (activities/drain/limits.ts): an older one says that no drain is at work. */
const CURRENT_MS = 10_000;

/** Requests a second as Gladly counts them for the whole organization: ours, others', and the limit. */
export function quotaInWords(quota: NotedQuota | null, now: number = Date.now()): Piece {
  if (quota === null || now - quota.at.getTime() > CURRENT_MS) return html`<span class="quiet">none</span>`;
  const { used, limit, rivals } = quota;
  const others = Math.round(rivals);
  return html`${used} of ${limit} a second${others > 0 && html` <span class="quiet">others ${others} or more</span>`}`;
}

const OUT = {
  temporal: 'Temporal does not answer. What is asked for now may be done later.',
  worker: 'No worker answers. Start a worker; nothing is lost meanwhile.',
} as const;

/** Says as of when the states are known, when that is not now. Numbers of events are always those of now. */
/** What only the sweep does is not done. */
const unsweptNote = (since: Date): Piece =>
  note(
    'bad',
    html`<p id="unswept"><b>No tenant was looked at since ${time(since)}.</b> Alerts before events expire are not raised meanwhile. In Temporal, look at the Schedule <code>sweep</code>: it may be paused, or its run stands still.</p>`,
  );

export function livenessNote({ asOf, out, unsweptSince }: Liveness): Piece {
  if (out === null && unsweptSince !== null) return unsweptNote(unsweptSince);
  if (out === null) return null;
  const since = asOf === null ? 'States are as they were last written.' : html`States are as of ${time(asOf)}.`;
  return note('bad', html`<p id="as-of"><b>${OUT[out]}</b> ${since} Numbers of events are those of now.</p>`);
}
