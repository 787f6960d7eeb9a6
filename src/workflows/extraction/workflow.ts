import {
  ActivityFailure,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  log,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import {
  archiveSignal,
  credentialsChangedSignal,
  type DrainMode,
  type DrainResult,
  disconnectSignal,
  type ExtractionActivities,
  type ExtractionInput,
  type ExtractionStatus,
  extractionStatusQuery,
  pauseSignal,
  type Request,
  resumeSignal,
  wakeSignal,
  warnSignal,
} from '../../contracts/extraction.ts';
import { isProblemCode, type Problem } from '../../contracts/problems.ts';
import { SEARCH_ATTRIBUTES } from '../../contracts/search-attributes.ts';
import { createProjector, WRITE_OPTIONS } from '../shared/projector.ts';
import { currentDetails, type ReportContext } from './details.ts';
import {
  carry,
  type ExtractionEvent,
  type ExtractionState,
  initialState,
  nextMove,
  reduce,
  shouldStop,
  viewOf,
} from './reducer.ts';

const drainOf = (mode: DrainMode) =>
  proxyActivities<ExtractionActivities>({
    summary: mode === 'full' ? 'Take in and extract what waits' : 'Take in what waits, and ask nothing of Gladly',
    // A drain ends by itself within its budget (src/activities/drain/limits.ts, a minute); ten are a drain that hangs.
    startToCloseTimeout: '10 minutes',
    // Cancellation travels with heartbeats, and they with the worker's cap (src/worker.ts): this only says when a worker is dead.
    heartbeatTimeout: '10 seconds',
    // Only trouble of our own throws. It heals with time, and an extraction never ends by failing.
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' },
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  }).drain;

const { recordExtraction } = proxyLocalActivities<ExtractionActivities>(WRITE_OPTIONS);

/** One tenant's extraction: it lives as long as the tenant, obeys `pause` and `resume`, and never ends by failing. */
export async function extraction(input: ExtractionInput): Promise<void> {
  let state = initialState(input, now());
  // Only for the report: no decision is made by it.
  let waiting = input.waiting ?? null;
  const { consoleUrl } = input.tuning;

  // When the wait that is under way ends by itself.
  let nextTryAt: string | null = null;
  const projector = createProjector(input.tenantId, () => viewOf(state, nextTryAt), recordExtraction);

  const report = (): ReportContext => ({
    next: nextMove(state, input.tuning),
    now: now(),
    waiting,
    consoleUrl: consoleUrl === undefined ? null : `${consoleUrl}/${input.tenantId}`,
  });

  const on = (event: ExtractionEvent): void => {
    const before = state;
    state = reduce(state, event, now());
    if (state !== before) show(before, state, report());
    projector.changed();
  };

  // Handlers only set state: asynchronous ones lose signals over continue-as-new.
  setHandler(pauseSignal, (request) => on({ type: 'pause', ...asked(request) }), {
    description:
      'Stop extraction. Events go on arriving and wait; those in SQS expire after its retention. Input: {"by": "your name", "reason": "why"}',
  });
  setHandler(resumeSignal, (request) => on({ type: 'resume', ...asked(request) }), {
    description: 'Go on after a pause, and take in all that waits. Input: {"by": "your name"}',
  });
  setHandler(wakeSignal, () => on({ type: 'wake' }), {
    description: 'Look now whether events wait. The API sends it when one arrives. No input.',
  });
  setHandler(credentialsChangedSignal, () => on({ type: 'credentialsChanged' }), {
    description: 'A problem was mended: try again now, with the credentials that are stored now. No input.',
  });
  setHandler(archiveSignal, () => on({ type: 'archive' }), {
    description:
      'While paused: take the events that wait out of SQS into the ledger, where none expires. Nothing is asked of Gladly. No input.',
  });
  setHandler(warnSignal, (problem) => on({ type: 'warn', problem: isProblem(problem) ? problem : null }), {
    description: 'Events that wait are about to expire, or not any more. Sent by the sweep: not for people.',
  });
  setHandler(disconnectSignal, (request) => on({ type: 'disconnect', ...asked(request) }), {
    description:
      'End extraction for good; to stop it for a while, use pause. To disconnect a tenant use the console: it tidies up too. Input: {"by": "your name", "reason": "why"}',
  });
  setDefaultSignalHandler((name) => {
    log.warn('unknown signal', { signal: name });
    on({ type: 'unknownSignal', name });
  });
  setHandler(extractionStatusQuery, () => status(state), {
    description: 'What it is doing, since when, who or what stopped it, and why.',
  });
  show(null, state, report());

  // Cancelled or not: without its extraction a tenant's events would wait until they expire. `disconnect` ends it, in order.
  await CancellationScope.nonCancellable(live);

  async function live(): Promise<void> {
    for (;;) {
      const next = nextMove(state, input.tuning);
      if (next.move === 'end') return await projector.settled();
      if (tooLong(input.tuning.continueAsNewAfter)) {
        await projector.settled();
        await continueAsNew<typeof extraction>({
          version: 1,
          tenantId: input.tenantId,
          tuning: input.tuning,
          carried: carry(state),
          ...(waiting === null ? {} : { waiting }),
        });
      }
      if (next.move === 'drain') {
        on({ type: 'drainStarted', mode: next.mode });
        const result = await drainUntilStopped(
          () => drainOf(next.mode)({ tenantId: input.tenantId, mode: next.mode, probe: next.probe }),
          () => shouldStop(state),
        );
        waiting = result.waiting ?? waiting;
        on({ type: 'drainEnded', result });
      } else {
        const somethingElse = () =>
          nextMove(state, input.tuning).move !== 'wait' || tooLong(input.tuning.continueAsNewAfter);
        nextTryAt = next.forMs === null ? null : new Date(Date.now() + next.forMs).toISOString();
        projector.changed();
        if (next.forMs === null) await condition(somethingElse);
        else if (!(await condition(somethingElse, next.forMs, { summary: next.why }))) on({ type: 'timeToLook' });
        nextTryAt = null;
      }
    }
  }
}

/** Runs a drain; asks it to end as soon as `stop` says so, and waits until it has. */
async function drainUntilStopped(drain: () => Promise<DrainResult>, stop: () => boolean): Promise<DrainResult> {
  const scope = new CancellationScope();
  let over = false;
  const running = scope.run(drain).finally(() => {
    over = true;
  });
  // The result is awaited below; this only keeps a failure from being unhandled meanwhile.
  running.catch(() => undefined);
  await condition(() => over || stop());
  if (over) return running;
  scope.cancel();
  try {
    return await running;
  } catch (error) {
    // Cancelled before it began or between two tries; or its worker died, and Temporal tries nothing again that was asked to stop. What a
    // dead drain held is seen again, and one that only seems dead is fenced. Do not ask `stop()`: a resume may have come meanwhile.
    if (isCancellation(error) || error instanceof ActivityFailure) return STOPPED;
    throw error;
  }
}

const STOPPED: DrainResult = {
  end: { kind: 'stopped' },
  counts: { takenIn: 0, extracted: 0, gone: 0, rejected: 0, calls: 0 },
};

function tooLong(limit: number): boolean {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return continueAsNewSuggested || historyLength > limit;
}

/** A person may have typed it into Temporal UI: it can be anything, and no signal may ever stop the workflow. */
function asked(request: unknown): Request {
  const given: { readonly by?: unknown; readonly reason?: unknown } =
    typeof request === 'object' && request !== null ? request : {};
  return { by: typed(given.by) ?? 'somebody in Temporal', reason: typed(given.reason) ?? 'no reason given' };
}

/** Of what a signal brought: nobody keeps a person from sending this one. */
function isProblem(given: Problem | null | undefined): given is Problem {
  return given != null && isProblemCode(given.code) && typeof given.params === 'object' && given.params !== null;
}

function typed(given: unknown): string | null {
  return typeof given === 'string' && given.trim() !== '' ? given.trim().slice(0, 500) : null;
}

function show(before: ExtractionState | null, state: ExtractionState, report: ReportContext): void {
  setCurrentDetails(currentDetails(state, report));
  const shown = listed(state);
  const known = before && listed(before);
  if (shown.state === known?.state && shown.problem === known.problem && shown.pausedSince === known.pausedSince)
    return;
  upsertSearchAttributes([
    { key: SEARCH_ATTRIBUTES.state, value: shown.state },
    { key: SEARCH_ATTRIBUTES.problem, value: shown.problem },
    { key: SEARCH_ATTRIBUTES.pausedSince, value: shown.pausedSince === null ? null : new Date(shown.pausedSince) },
  ]);
}

/**
 * What lists of workflows show. Parked counts as running: an event every few seconds parks and wakes a tenant as often, and each write
 * of search attributes is a transaction in Temporal's visibility store (`npm run bench -- freshness`: p99 of 7 s and more with it).
 */
function listed(state: ExtractionState) {
  const { phase, pause } = state;
  return {
    state: phase === 'parked' ? 'running' : phase,
    problem: shownProblem(state),
    pausedSince: pause?.at ?? null,
  } as const;
}

/** What stands in the way is worse than what is about to happen. */
function shownProblem({ problem, warning }: ExtractionState): string | null {
  return problem?.code ?? warning?.code ?? null;
}

function status(state: ExtractionState): ExtractionStatus {
  const { phase, since, pause, problem, warning, totals, drains, unknownSignals, lastUnknownSignal } = state;
  return { phase, since, pause, problem, warning, totals, drains, unknownSignals, lastUnknownSignal };
}

const now = (): string => new Date().toISOString();
