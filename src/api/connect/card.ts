import { type Html, html } from '../pages/html.ts';

/** How a step stands, in the customer's words. */
export type StepView = 'later' | 'todo' | 'checking' | 'needs_you' | 'done';

const BADGES: Readonly<Record<StepView, { readonly word: string; readonly look: string }>> = {
  later: { word: 'Comes later', look: '' },
  todo: { word: 'Your turn', look: 'warn' },
  checking: { word: 'We are checking', look: 'busy' },
  needs_you: { word: 'Needs you', look: 'bad' },
  done: { word: 'Done', look: 'good' },
};

export interface Card {
  readonly number: 1 | 2 | 3;
  readonly title: string;
  readonly state: StepView;
  readonly body: Html;
  /** Not in the way, whatever its state. */
  readonly folded?: boolean;
}

/** One of the three steps. One that is done, or whose turn has not come, is folded. */
export function card({ number, title, state, body, folded = state === 'done' || state === 'later' }: Card): Html {
  const { word, look } = BADGES[state];
  return html`<section class="card step" id="step-${number}" aria-labelledby="step-${number}-title">
<div class="step-head"><h2 id="step-${number}-title"><span class="of">Step ${number} of 3</span> ${title}</h2><span class="badge ${look}">${word}</span></div>
${
  // Another element for another state, so that an update opens what has just become the reader's turn.
  folded
    ? html`<details id="step-${number}-folded-${state}"><summary>${state === 'later' ? 'Look ahead' : 'Show this step'}</summary>${body}</details>`
    : html`<div id="step-${number}-body">${body}</div>`
}
</section>`;
}
