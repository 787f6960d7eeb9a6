import type { Evidence, StepName, StepState, StepStatus } from '../../contracts/onboarding.ts';
import { isNotice, problemMendedBy, problemRemedy, problemSentence } from '../../contracts/problems.ts';
import { type Html, html } from '../pages/html.ts';
import { time } from '../pages/times.ts';
import { postTo } from './urls.ts';

/** One line of what we check, as the customer sees it. */
export interface Check {
  readonly step: StepStatus;
  /** What is checked, and what it says once it is done. */
  readonly asks: Html | string;
  readonly done: Html | string;
}

const MARKS: Readonly<Record<StepState, { readonly sign: string; readonly word: string; readonly look: string }>> = {
  waiting: { sign: '○', word: 'Comes later', look: 'later' },
  checking: { sign: '◌', word: 'Checking', look: 'now' },
  retrying: { sign: '◌', word: 'Trying again', look: 'now' },
  needs_you: { sign: '✕', word: 'Needs you', look: 'wrong' },
  done: { sign: '✓', word: 'Done', look: 'done' },
};

/** The checks of one step, each with a sign and a word, the problem and its remedy where there is one. */
export function checkList(id: string, checks: readonly Check[], recheckUrl: string): Html {
  return html`<ul class="ticks checks" id="${id}">${checks.map((check) => line(check, recheckUrl))}</ul>`;
}

function line({ step, asks, done }: Check, recheckUrl: string): Html {
  const { sign, word, look } = MARKS[step.state];
  const busy = step.state === 'checking' || step.state === 'retrying';
  return html`<li class="${look}" id="check-${step.name}">
<span class="tick${busy && ' spin'}" aria-hidden="true">${sign}</span>
<div><p><span class="visually-hidden">${word}:</span> ${step.state === 'done' ? done : asks}${step.state === 'checking' && ' …'}</p>
${problems(step, recheckUrl)}${notices(step)}${evidence(step.name, step.evidence)}</div>
</li>`;
}

function problems(step: StepStatus, recheckUrl: string): Html | null {
  if (step.problem === null || step.state === 'done') return null;
  const all = [step.problem, ...step.furtherProblems];
  return html`<div class="note ${step.state === 'needs_you' ? 'bad' : 'busy'}">
${all.map((it) => html`<p><strong>${problemSentence(it)}</strong></p><p>${problemRemedy(it)}</p>`)}
${again(step, recheckUrl)}
</div>`;
}

/** Retryable problems are retried automatically, and at once on request. */
function again(step: StepStatus, recheckUrl: string): Html {
  const ours = step.problem !== null && problemMendedBy(step.problem) === 'operator';
  return html`<div class="actions">${recheckButton(recheckUrl, step.state === 'retrying' ? 'Try now' : 'Check again')}
<span class="quiet">${ours && 'We have been told. '}${step.nextTryAt !== null && html`We look again by ourselves ${time(step.nextTryAt, 'ago')}.`}</span></div>`;
}

/** Worth knowing, in small print. */
function notices({ state, notices }: StepStatus): Html | null {
  if (state === 'waiting' || notices.length === 0) return null;
  return html`${notices
    .filter(isNotice)
    .map((it) => html`<p class="quiet">${problemSentence(it)} ${problemRemedy(it)}</p>`)}`;
}

/** For those who want to know why we say so. */
function evidence(name: StepName, all: readonly Evidence[]): Html | null {
  // Our own queues are of no interest to the customer.
  if (all.length === 0 || name === 'provision') return null;
  return html`<details id="evidence-${name}"><summary>What we asked Gladly</summary>
<ul class="evidence">${all.map(
    ({ asked, answered, means, at }) =>
      html`<li><code>${asked}</code> → ${answered}${means !== undefined && html` (${means})`}, ${time(at)}</li>`,
  )}</ul></details>`;
}

export function recheckButton(url: string, label: string): Html {
  return html`<form ${postTo(url)}>
<button class="small">${label}</button></form>`;
}
