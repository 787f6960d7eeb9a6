import type {
  CarriedExtraction,
  DrainMode,
  DrainResult,
  ExtractionInput,
  ExtractionPhase,
  ExtractionTotals,
  ExtractionTuning,
  ExtractionView,
  Request,
  ShownPhase,
} from '../../contracts/extraction.ts';
import { type Problem, problemMendedBy } from '../../contracts/problems.ts';
import { since } from '../shared/problem.ts';

/** What a run knows: the carried state, and the drain that is at work. */
export interface ExtractionState extends CarriedExtraction {
  readonly draining: DrainMode | null;
}

export type ExtractionEvent =
  /** `at`: ISO time at which it was asked for; absent: now. */
  | ({ readonly type: 'pause'; readonly at?: string } & Request)
  | ({ readonly type: 'resume' | 'disconnect' } & Request)
  | { readonly type: 'wake' | 'credentialsChanged' | 'archive' | 'timeToLook' }
  /** Of the workflow around the state, which is the same after them. */
  | { readonly type: 'tune'; readonly tuning: ExtractionTuning }
  | { readonly type: 'renew' }
  | { readonly type: 'warn'; readonly problem: Problem | null }
  | { readonly type: 'unknownSignal'; readonly name: string }
  | { readonly type: 'drainStarted'; readonly mode: DrainMode }
  | { readonly type: 'drainEnded'; readonly result: DrainResult };

/** What the workflow does next. */
export type NextMove =
  | { readonly move: 'drain'; readonly mode: DrainMode; readonly probe: boolean }
  | { readonly move: 'wait'; readonly forMs: number | null; readonly why: string }
  | { readonly move: 'end' };

const NO_TOTALS: ExtractionTotals = { takenIn: 0, extracted: 0, gone: 0, rejected: 0, calls: 0 };

export function initialState(input: ExtractionInput, at: string): ExtractionState {
  const pause = input.pause ? { at, ...input.pause } : null;
  const fresh: ExtractionState = {
    version: 1,
    phase: pause ? 'paused' : 'running',
    since: pause?.at ?? at,
    pause,
    disconnect: null,
    problem: null,
    warning: null,
    gladlyFailures: 0,
    awake: true,
    look: false,
    archive: false,
    lookAgainMs: null,
    totals: NO_TOTALS,
    drains: 0,
    unknownSignals: 0,
    lastUnknownSignal: null,
    draining: null,
  };
  if (!input.carried) return fresh;
  // What an earlier release did not carry is as at the very start; what only a later one knows is kept for it.
  return { ...fresh, ...input.carried, totals: { ...NO_TOTALS, ...input.carried.totals }, draining: null };
}

/** What continue-as-new carries. Only between drains: a drain at work would be forgotten. */
export function carry({ draining: _, ...carried }: ExtractionState): CarriedExtraction {
  return carried;
}

/** `at` is the ISO time of the event. Any event in any state; twice the same is once. */
export function reduce(state: ExtractionState, event: ExtractionEvent, at: string): ExtractionState {
  const changed = apply(state, event, at);
  const phase = phaseOf(changed);
  if (phase === state.phase) return changed;
  return { ...changed, phase, since: shownPhase(phase) === shownPhase(state.phase) ? state.since : at };
}

/** What a person calls it: a tenant that is parked runs, and has nothing to do. */
export const shownPhase = (phase: ExtractionPhase): ShownPhase => (phase === 'parked' ? 'running' : phase);

/** What a person is told. `nextTryAt`: ISO time at which a wait for a problem ends by itself; null while there is none. */
export function viewOf(state: ExtractionState, nextTryAt: string | null): ExtractionView {
  const { phase, since, pause, disconnect, problem, warning, unknownSignals, lastUnknownSignal } = state;
  return {
    phase: shownPhase(phase),
    since,
    pause,
    disconnect,
    problem,
    warning,
    nextTryAt: problem && pause === null ? nextTryAt : null,
    unknownSignals,
    lastUnknownSignal,
  };
}

function apply(state: ExtractionState, event: ExtractionEvent, at: string): ExtractionState {
  switch (event.type) {
    case 'pause':
      return state.pause
        ? state
        : { ...state, pause: { by: event.by, reason: event.reason, at: event.at ?? at }, archive: false };
    case 'resume':
      return state.pause ? { ...state, pause: null, archive: false, awake: true, look: true } : state;
    case 'disconnect':
      return state.disconnect ? state : { ...state, disconnect: { by: event.by, reason: event.reason, at } };
    case 'wake':
      return { ...state, awake: true };
    case 'credentialsChanged':
      // While paused nothing is tried, so no drain would ever clear the problem.
      return { ...state, awake: true, look: true, problem: state.pause ? null : state.problem };
    case 'archive':
      return state.pause ? { ...state, archive: true } : state;
    case 'timeToLook':
      return { ...state, awake: true, look: true };
    case 'tune':
    case 'renew':
      return state;
    case 'warn':
      return { ...state, warning: event.problem && since(state.warning, event.problem, at) };
    case 'unknownSignal':
      return { ...state, unknownSignals: state.unknownSignals + 1, lastUnknownSignal: event.name };
    case 'drainStarted':
      // What arrives from here on may be missed by this drain, so it sets the flags anew.
      return { ...state, draining: event.mode, awake: false, look: false, archive: false, lookAgainMs: null };
    case 'drainEnded':
      return { ...afterDrain(state, event.result, at), draining: null };
  }
}

function afterDrain(state: ExtractionState, { end, counts }: DrainResult, at: string): ExtractionState {
  const counted = { ...state, totals: add(state.totals, counts), drains: state.drains + 1 };
  switch (end.kind) {
    case 'parked':
      return state.draining === 'full'
        ? { ...counted, problem: null, gladlyFailures: 0, lookAgainMs: end.lookAgainMs }
        : counted;
    case 'budget_spent':
      return state.draining === 'full' ? { ...counted, problem: null, gladlyFailures: 0, awake: true } : counted;
    case 'stopped':
      return { ...counted, awake: true };
    case 'waiting_for_gladly':
      return { ...counted, problem: since(state.problem, end.problem, at), gladlyFailures: state.gladlyFailures + 1 };
    case 'needs_attention':
      return { ...counted, problem: since(state.problem, end.problem, at), gladlyFailures: 0 };
  }
}

function phaseOf(state: ExtractionState): ExtractionPhase {
  if (state.disconnect) return 'disconnected';
  if (state.pause) return state.draining === 'full' ? 'pausing' : 'paused';
  if (state.problem) return problemMendedBy(state.problem) === 'time' ? 'waiting_for_gladly' : 'needs_attention';
  return state.draining || state.awake ? 'running' : 'parked';
}

/** True when the drain at work should finish what it holds and end: also one that began with credentials that are not the right ones any more. */
export function shouldStop(state: ExtractionState): boolean {
  if (state.disconnect) return true;
  return state.draining === 'full' ? state.pause !== null || state.look : state.pause === null;
}

export function nextMove(state: ExtractionState, tuning: ExtractionTuning): NextMove {
  if (state.disconnect) return { move: 'end' };
  if (state.pause) {
    if (state.archive) return { move: 'drain', mode: 'take_in_only', probe: false };
    return { move: 'wait', forMs: null, why: 'Paused: waits for resume' };
  }
  if (state.problem && !state.look) return waitOutProblem(state, state.problem, tuning);
  if (state.awake || state.look) return { move: 'drain', mode: 'full', probe: state.problem !== null };
  return {
    move: 'wait',
    forMs: Math.min(state.lookAgainMs ?? tuning.parkedLookMs, tuning.parkedLookMs),
    why: 'Parked: waits for the next event',
  };
}

function waitOutProblem(state: ExtractionState, problem: Problem, tuning: ExtractionTuning): NextMove {
  if (problemMendedBy(problem) !== 'time') {
    return { move: 'wait', forMs: tuning.attentionLookMs, why: `Needs attention: ${problem.code}` };
  }
  const doubled = tuning.gladlyWaitMs * 2 ** Math.min(Math.max(state.gladlyFailures - 1, 0), 20);
  return { move: 'wait', forMs: Math.min(doubled, tuning.gladlyWaitMaxMs), why: `Waits for Gladly: ${problem.code}` };
}

function add(a: ExtractionTotals, b: ExtractionTotals): ExtractionTotals {
  return {
    ...a,
    takenIn: a.takenIn + b.takenIn,
    extracted: a.extracted + b.extracted,
    gone: a.gone + b.gone,
    rejected: a.rejected + b.rejected,
    calls: a.calls + b.calls,
  };
}
