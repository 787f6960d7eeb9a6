import type { ExtractionView } from '../../contracts/extraction.ts';
import { problemRemedy, problemSentence } from '../../contracts/problems.ts';
import { MOST_COUNTED } from '../../tenants/read-model.ts';
import { type Html, html } from '../pages/html.ts';
import { time } from '../pages/times.ts';
import { eventsArrived, type Progress } from './progress.ts';

/** All three steps are done: what arrives, as counts. */
export function connected({ arrived, conversations, extraction, keyProblem }: Progress): Html {
  const events = eventsArrived(arrived);
  const stored = conversations >= MOST_COUNTED ? `more than ${MOST_COUNTED - 1}` : String(conversations);
  return html`<section class="card" id="connected" aria-labelledby="connected-title">
<div class="step-head"><h2 id="connected-title">Connected</h2>${keyProblem === null ? html`<span class="badge good">All done</span>` : html`<span class="badge bad">Needs you</span>`}</div>
<p>Gladly tells Idiomatic what happens, and Idiomatic reads the conversations that changed. You can close this page.</p>
<dl class="figures">
<div><dt>Events from Gladly</dt><dd id="events-arrived">${events.count}</dd></div>
<div><dt>Conversations stored</dt><dd id="conversations-stored">${stored}</dd></div>
<div><dt>Last event</dt><dd>${events.lastAt === null ? 'none yet' : time(events.lastAt, 'ago')}</dd></div>
</dl>
${keyProblem && html`<div class="note bad" id="key-refused"><p><strong>${problemSentence(keyProblem)}</strong></p><p>${problemRemedy(keyProblem)}</p></div>`}
${next(events.count, conversations)}
${extraction && trouble(extraction)}
</section>`;
}

function next(events: number, conversations: number): Html {
  if (events === 0) {
    return html`<p>Nothing has happened in Gladly since. To see it work at once, add a note to any conversation in Gladly.</p>`;
  }
  return conversations === 0
    ? html`<p>The first conversation is on its way.</p>`
    : html`<p class="note good"><strong>The first conversation has arrived.</strong> Everything works.</p>`;
}

/** Connected once, but it does not go on: why, and what to do. */
function trouble({ phase, problem, pause }: ExtractionView): Html | null {
  if (phase === 'pausing' || phase === 'paused') {
    return html`<p class="note warn"><strong>Reading is paused</strong>${pause && html` since ${time(pause.at)}`}. Your Idiomatic contact has paused it. Events from Gladly are kept meanwhile.</p>`;
  }
  if (problem === null) return null;
  const look = phase === 'needs_attention' ? 'bad' : 'busy';
  return html`<div class="note ${look}"><p><strong>${problemSentence(problem)}</strong></p><p>${problemRemedy(problem)}</p></div>`;
}
