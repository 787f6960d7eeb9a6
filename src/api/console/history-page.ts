import type { Action } from '../../store/actions.ts';
import { type Html, html } from '../pages/html.ts';
import { time } from '../pages/times.ts';
import { tenantAddress } from './tenant-frame.ts';
import { actionName } from './words.ts';

export const HISTORY_ROWS = 50;

/** What was done to a tenant, by whom and why; the newest first. */
export function historyView(tenantId: string, actions: readonly Action[], isFirst: boolean): Html {
  const last = actions.at(-1);
  const first = tenantAddress(tenantId, '/history');
  if (last === undefined) return html`<p class="card">${isFirst ? 'Nothing was done yet.' : 'That was all.'}</p>`;
  return html`<div class="scroll card" tabindex="0" role="region" aria-label="History"><table class="history"><thead><tr><th scope="col">When</th><th scope="col">What</th><th scope="col">By</th><th scope="col">Why</th></tr></thead><tbody>
${actions.map(({ at, action, by, reason, details }) => html`<tr><td>${time(at)}</td><td>${actionName(action)}${inWords(details)}</td><td>${by}</td><td>${reason ?? ''}</td></tr>`)}
</tbody></table></div>
<nav class="pager" aria-label="Pages">${!isFirst && html`<a class="button small plain" href="${first}">Newest</a>`}${actions.length === HISTORY_ROWS && html`<a class="button small plain" rel="next" href="${first}?before=${last.actionId}">Older</a>`}</nav>`;
}

const NAMES: Readonly<Record<string, string>> = {
  retentionDays: 'days kept',
  retentionPolicy: 'when they are about to expire',
  keyId: 'key',
  version: 'number',
  setup: 'made',
  nameBefore: 'before',
  mayChange: 'the new one may change things',
  discard: 'waiting events deleted',
  deadLetters: 'dead letters',
};

function inWords(details: Action['details']): Html | null {
  const said = Object.entries(details).map(([name, value]) => `${NAMES[name] ?? name}: ${text(value)}`);
  return said.length === 0 ? null : html` <span class="quiet">${said.join(', ')}</span>`;
}

const text = (value: string | number | boolean | null): string =>
  typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value ?? '–').replaceAll('_', ' ');
