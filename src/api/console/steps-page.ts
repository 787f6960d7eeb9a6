import type { StepStatus } from '../../contracts/onboarding.ts';
import { type Problem, problemRemedy, problemSentence } from '../../contracts/problems.ts';
import type { TenantView } from '../../tenants/read-model.ts';
import type { Tone } from '../../tenants/standing.ts';
import { type Html, html, type Piece } from '../pages/html.ts';
import { time } from '../pages/times.ts';
import { counted } from './amounts.ts';
import { ago, badge, livenessNote, note } from './pieces.ts';
import { STEP_NAMES, STEP_STATES } from './words.ts';

/** The steps of the set-up, each with what was asked, what was answered, and when. */
export function stepsView({ onboarding, liveness }: TenantView): Html {
  if (onboarding === null) return html`${livenessNote(liveness)}<p class="card">The set-up has not begun yet.</p>`;
  return html`${livenessNote(liveness)}${onboarding.problem && problemNote(onboarding.problem, 'bad')}
<ol class="steps">${onboarding.steps.map(step)}</ol>`;
}

function step(one: StepStatus): Html {
  const [label, tone] = STEP_STATES[one.state];
  const { problem, furtherProblems, notices, reminder, stuckSince, attempts, nextTryAt, evidence } = one;
  return html`<li class="card" id="step-${one.name}"><h2>${STEP_NAMES[one.name]} ${badge(label, tone)}</h2>
<p class="quiet">${one.state !== 'waiting' && html`since ${time(one.since)}`}${stuckSince !== null && html`, not through since ${time(stuckSince)}, ${counted(attempts, 'try', 'tries')}`}${nextTryAt !== null && html`, next try ${ago(nextTryAt)}`}</p>
${problem && problemNote(problem, tone)}
${furtherProblems.map((further) => problemNote(further, tone))}
${reminder && problemNote(reminder, 'warn')}
${notices.map((notice) => problemNote(notice, 'quiet'))}
${evidence.length > 0 && html`<details id="evidence-${one.name}"><summary>What was asked and answered</summary><div class="scroll"><table><thead><tr><th scope="col">Asked</th><th scope="col">Answered</th><th scope="col">When</th></tr></thead><tbody>${evidence.map(({ asked, answered, means, at }) => html`<tr><td>${asked}</td><td>${answered}${means !== undefined && html`<br><span class="quiet">${means}</span>`}</td><td>${ago(at)}</td></tr>`)}</tbody></table></div></details>`}</li>`;
}

const problemNote = (problem: Problem, tone: Tone): Piece =>
  note(tone, html`<p><b>${problemSentence(problem)}</b></p><p>${problemRemedy(problem)}</p>`);
