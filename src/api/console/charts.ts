import type { MeasuredStep } from '../../store/measurements.ts';
import { type Html, html } from '../pages/html.ts';
import { time } from '../pages/times.ts';
import { count, duration } from './amounts.ts';
import { tenantAddress } from './tenant-frame.ts';

/** How far the charts look back, and in which steps. */
export const RANGES = {
  hour: { name: 'Last hour', ms: 3_600_000, stepMs: 60_000 },
  day: { name: 'Last day', ms: 86_400_000, stepMs: 600_000 },
  week: { name: 'Last week', ms: 7 * 86_400_000, stepMs: 3_600_000 },
} as const;
export type RangeName = keyof typeof RANGES;

export const rangeOf = (asked: unknown): RangeName =>
  typeof asked === 'string' && Object.hasOwn(RANGES, asked) ? (asked as RangeName) : 'hour';

/** Columns as uPlot takes them: times in seconds, then a number or null for each. */
export interface ChartData {
  readonly at: readonly number[];
  readonly stored: readonly number[];
  readonly accepted: readonly number[];
  readonly waiting: readonly (number | null)[];
  /** Seconds. */
  readonly p50: readonly (number | null)[];
  readonly p99: readonly (number | null)[];
}

/** What a chart covers, in milliseconds. */
interface Span {
  readonly from: number;
  readonly to: number;
  readonly stepMs: number;
}

/**
 * Fills the gaps: where nothing was measured nothing came, and as much waited as before. `waitingNow`: in the ledger and in SQS; null when
 * SQS does not answer.
 */
export function chartData(
  steps: readonly MeasuredStep[],
  { from, to, stepMs }: Span,
  waitingNow: number | null = null,
): ChartData {
  const { filled, before } = fillWaiting(steps, waitingNow);
  const measured = new Map(filled.map((step) => [step.at.getTime(), step]));
  const first = Math.floor(from / stepMs) * stepMs;
  const times = Array.from({ length: Math.floor((to - first) / stepMs) + 1 }, (_, i) => first + i * stepMs);
  const found = times.map((at) => measured.get(at));
  let waiting = before;
  return {
    at: times.map((at) => at / 1_000),
    accepted: found.map((step) => step?.accepted ?? 0),
    stored: found.map((step) => step?.extracted ?? 0),
    waiting: found.map((step, i) => {
      waiting = (i === found.length - 1 ? waitingNow : null) ?? step?.waiting ?? waiting;
      return waiting;
    }),
    p50: found.map((step) => seconds(step?.freshnessP50Ms)),
    p99: found.map((step) => seconds(step?.freshnessP99Ms)),
  };
}

/**
 * Only a drain notes how much waits, and while extraction is paused there is none. So it is reckoned back from what is known after it:
 * less what came in the meantime, and what was stored besides. `before`: ahead of all steps.
 */
function fillWaiting(steps: readonly MeasuredStep[], waitingNow: number | null) {
  let before = waitingNow;
  const filled = steps.toReversed().map((step) => {
    const waiting = step.waiting ?? before;
    before = waiting === null ? null : Math.max(0, waiting - step.accepted + step.extracted);
    return { ...step, waiting };
  });
  return { filled: filled.reverse(), before };
}

const seconds = (ms: number | null | undefined): number | null => (ms == null ? null : ms / 1_000);

/** The charts of a tenant; without JavaScript and for screen readers, the same as a table. */
export function chartsView(
  tenantId: string,
  range: RangeName,
  steps: readonly MeasuredStep[],
  waitingNow: number | null,
): Html {
  const link = (name: RangeName): Html =>
    html`<li><a href="${tenantAddress(tenantId)}?range=${name}#charts"${name === range && html` aria-current="true"`}>${RANGES[name].name}</a></li>`;
  const names = Object.keys(RANGES) as RangeName[];
  return html`<section class="card" id="charts" aria-labelledby="charts-title"><h2 id="charts-title">Over time</h2>
<nav aria-label="Time that the charts show"><ul class="ranges">${names.map(link)}</ul></nav>
<div class="charts js-only" id="plots" hx-morph-skip data-url="${tenantAddress(tenantId, '/measurements')}?range=${range}" data-step="${RANGES[range].stepMs / 1_000}" aria-hidden="true"></div>
<details id="as-table"><summary>As a table</summary>${table(fillWaiting(steps, waitingNow).filled)}</details></section>`;
}

const TABLE_ROWS = 60;

function table(steps: readonly MeasuredStep[]): Html {
  const newest = steps.slice(-TABLE_ROWS).reverse();
  if (newest.length === 0) return html`<p>Nothing was measured in this time.</p>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Measurements"><table><thead><tr><th scope="col">From</th><th scope="col" class="number">Events in</th><th scope="col" class="number">Stored</th><th scope="col" class="number">Waiting</th><th scope="col" class="number">Freshness of half</th><th scope="col" class="number">of 99 %</th></tr></thead><tbody>
${newest.map(({ at, accepted, extracted, waiting, freshnessP50Ms, freshnessP99Ms }) => html`<tr><td>${time(at)}</td><td class="number">${count(accepted)}</td><td class="number">${count(extracted)}</td><td class="number">${waiting === null ? '–' : count(waiting)}</td><td class="number">${freshnessP50Ms === null ? '–' : duration(freshnessP50Ms)}</td><td class="number">${freshnessP99Ms === null ? '–' : duration(freshnessP99Ms)}</td></tr>`)}
</tbody></table></div>`;
}
