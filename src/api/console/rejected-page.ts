import { problemText } from '../../contracts/problems.ts';
import type { RejectedEvent } from '../../store/ledger/rejected.ts';
import type { Redriven } from '../../tenants/redrive.ts';
import type { Operator } from '../http/operators.ts';
import { type Html, html, type Piece } from '../pages/html.ts';
import { count, counted } from './amounts.ts';
import { ago, field, form, note } from './pieces.ts';
import { tenantAddress } from './tenant-frame.ts';
import { reasonInWords } from './words.ts';

export const REJECTED_ROWS = 50;

export interface RejectedList {
  readonly tenantId: string;
  readonly events: readonly RejectedEvent[];
  readonly rejected: number;
  readonly deadLetters: number | null;
  readonly isFirst: boolean;
  readonly operator: Operator;
}

/** Events that could not be extracted, each with why. */
export function rejectedView(list: RejectedList): Html {
  const { tenantId, events, rejected, deadLetters, operator } = list;
  const may = operator.role === 'operator';
  if (rejected === 0 && !deadLetters)
    return html`<p class="card">No event was rejected, and there are no dead letters.</p>`;
  return html`<p class="lead">${counted(rejected, 'event was', 'events were')} rejected${deadLetters === null ? '; the dead-letter queue does not answer' : `, and ${counted(deadLetters, 'dead letter waits', 'dead letters wait')}`}.</p>
<p class="quiet">They are kept. What can be read in Gladly after all can be brought back, and is then tried anew.</p>
<form method="get" action="${tenantAddress(tenantId, '/redrive')}">
${may && html`<div class="actions"><button name="all" value="yes">Bring all back…</button>${events.length > 0 && html`<button class="plain" name="all" value="no">Bring the ticked ones back…</button>`}</div>`}
${events.length > 0 && table(events, may)}
</form>
${pager(list)}`;
}

function table(events: readonly RejectedEvent[], may: boolean): Html {
  return html`<div class="scroll card" tabindex="0" role="region" aria-label="Rejected events"><table><thead><tr>${may && html`<th scope="col"><span class="visually-hidden">Ticked</span></th>`}<th scope="col">Event</th><th scope="col">Kind</th><th scope="col">Why</th><th scope="col">Conversation</th><th scope="col">Rejected</th></tr></thead><tbody>
${events.map(({ eventId, type, reason, conversationId, rejectedAt }) => html`<tr>${may && html`<td><input type="checkbox" name="event" value="${eventId}" aria-label="Event ${eventId}"></td>`}<td><code>${eventId}</code></td><td>${type ?? '–'}</td><td>${reasonInWords(reason)}</td><td>${conversationId === null ? '–' : html`<code>${conversationId}</code>`}</td><td>${ago(rejectedAt, '–')}</td></tr>`)}
</tbody></table></div>`;
}

function pager({ tenantId, events, isFirst }: RejectedList): Piece {
  const last = events.at(-1);
  const to = tenantAddress(tenantId, '/rejected');
  return html`<nav class="pager" aria-label="Pages">${!isFirst && html`<a class="button small plain" href="${to}">First page</a>`}${events.length === REJECTED_ROWS && last && html`<a class="button small plain" rel="next" href="${to}?after=${encodeURIComponent(last.eventId)}">Next</a>`}</nav>`;
}

/** The dry run: what would happen, and the button that makes it happen. `eventIds` null: all. */
export function redriveView(tenantId: string, found: Redriven, eventIds: readonly string[] | null): Html {
  const { rejected, unusable, deadLetters } = found;
  const nothing = rejected === 0 && deadLetters === 0;
  return html`<section class="card" aria-labelledby="dry-run"><h2 id="dry-run">What would happen</h2>
<ul><li><b>${counted(rejected, 'rejected event')}</b> would wait again and be tried anew.</li>
<li><b>${counted(deadLetters, 'dead letter')}</b> would be ${eventIds === null ? 'taken in' : 'looked through for them'}.</li>
${unusable > 0 && html`<li>${counted(unusable, 'event')} would stay as ${unusable === 1 ? 'it is' : 'they are'}: without a conversation there is nothing to read.</li>`}</ul>
<p class="quiet">Nothing was changed so far.</p>
<div class="actions">${!nothing && form({ id: 'redrive', action: tenantAddress(tenantId, '/redrive'), button: 'Bring them back', fields: chosen(eventIds) })}<a class="button plain" href="${tenantAddress(tenantId, '/rejected')}">${nothing ? 'Back' : 'Leave them'}</a></div></section>
${rejected + unusable > 0 && discardView(tenantId, rejected + unusable, eventIds)}`;
}

const chosen = (eventIds: readonly string[] | null): Html =>
  html`<input type="hidden" name="events" value="${eventIds === null ? '' : JSON.stringify(eventIds)}">`;

/** For those that somebody has looked at, and that nothing is to be done about: else they would be warned of for ever. */
function discardView(tenantId: string, events: number, eventIds: readonly string[] | null): Html {
  return html`<section class="card" aria-labelledby="discarding"><h2 id="discarding">Or discard them</h2>
<p>${counted(events, 'rejected event')} would not be warned of any more. They can be brought back by a redrive of what is gone, for as long as the ledger keeps them.</p>
${form({
  id: 'discard',
  action: tenantAddress(tenantId, '/discard'),
  button: 'Discard them',
  kind: 'danger',
  fields: html`${chosen(eventIds)}${field({ form: 'discard', name: 'reason', label: 'Why?', maxLength: 500 })}`,
})}</section>`;
}

/** What was discarded. */
export const discardedNote = (discarded: number): Piece =>
  html`<div role="status">${note('good', html`<p>${counted(discarded, 'event was', 'events were')} discarded.</p>`)}</div>`;

export function redrivenNote({ rejected, deadLetters, deadLettersLeft, deadLetterProblem }: Redriven): Piece {
  return html`<div role="status">${note('good', html`<p>${counted(rejected, 'event')} and ${counted(deadLetters, 'dead letter')} were brought back.${deadLettersLeft > 0 && ` ${count(deadLettersLeft)} dead letters stay: they are not among those asked for, or the database cannot keep them.`}</p>${deadLetterProblem && html`<p>The dead letters could not all be looked at: ${problemText(deadLetterProblem).sentence}</p>`}`)}</div>`;
}
