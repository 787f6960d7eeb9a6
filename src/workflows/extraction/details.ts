import type { ExtractionPhase } from '../../contracts/extraction.ts';
import type { Problem } from '../../contracts/problems.ts';
import { inline, remedy, sentence } from '../shared/problem.ts';
import type { ExtractionState, NextMove } from './reducer.ts';

/** What the report needs besides the state. */
export interface ReportContext {
  readonly next: NextMove;
  /** ISO time. */
  readonly now: string;
  /** Events in the ledger when the last drain ended; null when no drain has told. */
  readonly waiting: number | null;
  /** The tenant's page in the console; null when the workflow was started without it. */
  readonly consoleUrl: string | null;
}

const PHASES: Record<ExtractionPhase, { readonly headline: string; readonly means: string }> = {
  running: { headline: 'Running', means: 'It takes in events and extracts their conversations.' },
  parked: { headline: 'Running, with nothing to do', means: 'All events are extracted. It waits for the next one.' },
  pausing: { headline: 'Pausing', means: 'It finishes the conversations it has in hand, and begins no others.' },
  paused: { headline: 'Paused', means: 'Nothing is extracted. Events go on arriving, and wait.' },
  waiting_for_gladly: {
    headline: 'Waiting for Gladly',
    means: 'Gladly cannot be read just now. Events are kept meanwhile, and nobody needs to do anything.',
  },
  needs_attention: {
    headline: 'Needs attention',
    means: 'Only a person can mend what is in the way. Events are kept meanwhile.',
  },
  disconnected: { headline: 'Disconnected', means: 'Extraction has ended for good.' },
};

/**
 * What Temporal UI shows of a running extraction, in Markdown: what it is doing, since when, who or what stopped it, why, what waits, what
 * comes next, and what to do.
 */
export function currentDetails(state: ExtractionState, { next, now, waiting, consoleUrl }: ReportContext): string {
  const { headline, means } = PHASES[state.phase];
  const { pause, problem, warning, totals } = state;
  const lines = [
    ...(pause ? [`**Paused by:** ${inline(pause.by)}, ${time(pause.at)}`, `**Why:** ${inline(pause.reason)}`] : []),
    ...(problem ? said('Problem', problem) : []),
    ...(warning ? said('Warning', warning) : []),
    `**Next:** ${whatIsNext(state, next, now)}`,
    ...(waiting === null
      ? []
      : [
          `**Waiting:** ${counted(waiting, 'event')} in the ledger when it last looked${pause ? '; what has come since waits in SQS' : ''}`,
        ]),
    `**So far:** ${counted(totals.takenIn, 'event')} taken in, ${totals.extracted} extracted, ${totals.gone} gone, ${totals.rejected} rejected, in ${counted(state.drains, 'drain')}`,
    ...(state.lastUnknownSignal === null
      ? []
      : [`**Unknown signals:** ${state.unknownSignals}, the last one ${inline(state.lastUnknownSignal)}`]),
  ];
  return [
    `### ${headline}`,
    `Since ${time(state.since)}. ${means}`,
    lines.map((line) => `- ${line}`).join('\n'),
    ...(consoleUrl === null ? [] : [`[Open this tenant in the console](${consoleUrl})`]),
  ].join('\n\n');
}

function said(what: string, it: Problem): string[] {
  const since = it.since === undefined ? '' : ` (since ${time(it.since)})`;
  return [`**${what}:** ${sentence(it)}${since}`, `**To do:** ${remedy(it)}`];
}

function whatIsNext(state: ExtractionState, next: NextMove, now: string): string {
  if (next.move === 'end') return 'it finishes what it has in hand, and ends.';
  if (state.phase === 'pausing') return 'it is paused as soon as that is done, within seconds.';
  if (state.pause) {
    return state.draining === 'take_in_only'
      ? 'it takes events out of SQS into the ledger, where none expires.'
      : 'it goes on when somebody sends the signal resume. Until then, events that wait in SQS expire after its retention; the signal archive takes them into the ledger, where none does.';
  }
  if (state.draining || next.move === 'drain' || next.forMs === null) {
    return state.problem ? 'it is trying again right now.' : 'it goes on until nothing is left.';
  }
  const at = time(new Date(Date.parse(now) + next.forMs).toISOString());
  if (state.phase === 'parked') return `it looks as soon as an event arrives, or else at ${at}.`;
  return `it tries again by itself at ${at}. To have it try now, send the signal credentialsChanged.`;
}

const counted = (count: number, what: string): string => (count === 1 ? `1 ${what}` : `${count} ${what}s`);

/** An ISO time, readable, to the second. */
const time = (iso: string): string => iso.replace('T', ' ').replace(/(?:\.\d+)?Z$/, ' UTC');
