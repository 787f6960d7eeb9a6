import { problemMendedBy, problemRemedy, problemSentence } from '../../contracts/problems.ts';
import { isOfTheQueue } from '../../tenants/finding-kinds.ts';
import type { TenantDetails, TenantView } from '../../tenants/read-model.ts';
import type { Operator } from '../http/operators.ts';
import { type Html, html, type Piece } from '../pages/html.ts';
import { time } from '../pages/times.ts';
import { count, counted, duration } from './amounts.ts';
import { ago, badge, fact, field, form, livenessNote, note, quotaInWords } from './pieces.ts';
import { tenantAddress } from './tenant-frame.ts';

/** How a tenant is now, and what can be done about it: the part that follows what happens. */
export function nowView(view: TenantView, details: TenantDetails, operator: Operator): Html {
  return html`<section class="card" aria-labelledby="state-title"><h2 id="state-title" class="visually-hidden">State</h2>
${state(view)}
${operator.role === 'operator' && actions(view)}
</section>
${backlog(view, details)}
<section class="card" aria-labelledby="events-title"><h2 id="events-title">Events</h2><dl class="facts">${facts(view, details)}</dl></section>`;
}

function state(view: TenantView): Piece {
  const { standing, pause, problem, keyProblem, warning, findings, liveness } = view;
  const also = [keyProblem, warning, ...findings].filter((it) => it !== null && it.code !== problem?.code);
  const { since } = standing;
  return html`<p class="state" data-standing="${`${standing.label} ${since ?? ''} ${pause?.at ?? ''}`}">${badge(standing.label, standing.tone)} ${since !== null && html`<span class="quiet">since ${time(since)}</span>`}</p>
${livenessNote(liveness)}
${pause && html`<p>Paused by <b>${pause.by}</b>, ${ago(pause.at)}: ${pause.reason}</p>`}
${problem && note(standing.tone === 'good' ? 'quiet' : standing.tone, html`<p><b>${problemSentence(problem)}</b></p><p>${problemRemedy(problem)}</p>`)}
${also.map((it) => it && note('bad', html`<p><b>${problemSentence(it)}</b></p><p>${problemRemedy(it)}</p>`))}`;
}

function actions({ tenant, standing, pause, problem, findings, isExtracting, onboarding }: TenantView): Piece {
  const to = (action: string): string => tenantAddress(tenant.tenantId, `/${action}`);
  const canRecheck =
    onboarding?.state === 'in_progress' ||
    standing.from === 'onboarding' ||
    (isExtracting && problem !== null && !pause) ||
    // A queue is made anew also while extraction is paused.
    (isExtracting && findings.some(isOfTheQueue));
  return html`<div class="actions doing" id="actions">
${
  isExtracting &&
  !pause &&
  html`<details id="pausing"><summary class="button plain">Pause…</summary>${form({
    id: 'pause',
    action: to('pause'),
    button: 'Pause extraction',
    fields: field({
      form: 'pause',
      name: 'reason',
      label: 'Why?',
      maxLength: 500,
      hint: 'Everybody who looks here reads it.',
    }),
  })}</details>`
}
${onboarding?.state === 'cancelling' && html`<div id="keeping">${form({ id: 'call-off', action: to('call-off'), button: 'Keep the tenant', kind: 'plain', fields: null })}</div>`}
${onboarding?.state === 'cancelling' && html`<a id="discarding" class="button plain" href="${to('settings')}#disconnect-title">Delete what waits, and disconnect</a>`}
${isExtracting && pause && html`<div id="resuming">${form({ id: 'resume', action: to('resume'), button: 'Resume extraction', fields: null })}</div>`}
${canRecheck && html`<div id="rechecking">${form({ id: 'recheck', action: to('recheck'), button: 'Check again', kind: 'plain', fields: null })}</div>`}
${isExtracting && problem && problemMendedBy(problem) === 'customer' && html`<a id="new-credentials" class="button plain" href="${to('settings')}#credentials-title">Enter new credentials</a>`}
</div>`;
}

function backlog(
  { pause, standing, isExtracting }: TenantView,
  { backlog: { waiting, takesMs, done, perSecond } }: TenantDetails,
): Piece {
  if (done === null || !isExtracting) return null;
  const percent = Math.floor(done * 100);
  const rate = `${Math.round(perSecond * 10) / 10} requests a second, as the quota allows`;
  const stopped = pause !== null || standing.group === 'attention';
  return html`<section class="card" aria-labelledby="backlog-title"><h2 id="backlog-title">Backlog</h2>
<p><label for="backlog">${counted(waiting, 'event')} to go, ${percent} % done</label> <progress id="backlog" max="100" value="${percent}">${percent} %</progress></p>
<p>${stopped ? html`Once it goes on, this takes about <b>${duration(takesMs)}</b>` : html`Done in about <b>${duration(takesMs)}</b>, ${time(arrival(takesMs), 'at')}`} <span class="quiet">(${rate})</span></p></section>`;
}

/** To the minute, so that the page does not change each second. */
const arrival = (takesMs: number): Date => new Date(Math.ceil((Date.now() + takesMs) / 60_000) * 60_000);

function facts(
  { tenant, counts, inQueue, deadLetters, firstLossAt }: TenantView,
  { lastEventAt, recent, quota }: TenantDetails,
): Piece {
  const { waiting, extracted, trimmed, gone, rejected, ignored, oldestWaitingAt } = counts;
  const rejectedAt = tenantAddress(tenant.tenantId, '/rejected');
  return [
    fact(
      'Waiting',
      html`${count(waiting + (inQueue ?? 0))}`,
      html`${inQueue === null ? 'the queue does not answer' : `${count(inQueue)} in the queue`}, ${count(waiting)} taken in${oldestWaitingAt && html`, the oldest ${ago(oldestWaitingAt)}`}`,
    ),
    fact(
      'First event lost',
      firstLossAt === null ? 'nothing at risk' : html`<b>${ago(firstLossAt)}</b>`,
      firstLossAt === null
        ? `the queue keeps events ${counted(tenant.retentionDays, 'day')}`
        : html`if nothing is done: the queue keeps events ${counted(tenant.retentionDays, 'day')}`,
    ),
    fact('Last event', ago(lastEventAt)),
    fact(
      'Freshness',
      recent?.freshnessP50Ms == null ? html`<span class="quiet">–</span>` : duration(recent.freshnessP50Ms),
      'from accepted until stored, half of the last hour’s events',
    ),
    fact('Quota in use', quotaInWords(quota)),
    fact('Stored', count(extracted + trimmed), gone > 0 && `${count(gone)} more were gone from Gladly`),
    fact(
      'Rejected',
      rejected > 0 ? html`<a href="${rejectedAt}">${count(rejected)}</a>` : '0',
      ignored > 0 && `${count(ignored)} more are about no conversation`,
    ),
    fact(
      'Dead letters',
      deadLetters === null
        ? 'the queue does not answer'
        : html`${deadLetters > 0 ? html`<a href="${rejectedAt}">${count(deadLetters)}</a>` : '0'}`,
    ),
  ];
}
