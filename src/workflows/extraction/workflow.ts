import {
  CancellationScope,
  condition,
  continueAsNew,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
} from '@temporalio/workflow';
import { RENEW, TUNE } from '../../contracts/descriptions.ts';
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
  renewSignal,
  resumeSignal,
  tuneExtractionSignal,
  wakeSignal,
  warnSignal,
} from '../../contracts/extraction.ts';
import { unlessStopped } from '../shared/cancellable.ts';
import { createProjector, WRITE_OPTIONS } from '../shared/projector.ts';
import { createDisplay, now, tooLong } from '../shared/run.ts';
import { asked, askedAt, extractionTuningIn, problemIn } from '../shared/signal-input.ts';
import { onUnknownSignal, signalHandlers } from '../shared/signals.ts';
import { currentDetails, type ReportContext } from './details.ts';
import {
  carry,
  type ExtractionEvent,
  type ExtractionState,
  initialState,
  type NextMove,
  nextMove,
  reduce,
  shouldStop,
  shownPhase,
  viewOf,
} from './reducer.ts';

const drainOf = (mode: DrainMode) =>
  proxyActivities<ExtractionActivities>({
    summary: mode === 'full' ? 'Take in and extract what waits' : 'Take in what waits, and ask nothing of Gladly',
    // A drain ends by itself within its budget (DRAIN_BUDGET_MS, an hour at most); what takes longer hangs.
    startToCloseTimeout: '75 minutes',
    // Says only when a worker is dead: see HEARTBEAT_MS in src/activities/drain/limits.ts.
    heartbeatTimeout: '28 seconds',
    // Any worker may have it: the one that has the workflow in its cache would keep all that were ever its.
    allowEagerDispatch: false,
    // Only trouble of our own throws. It heals with time, and an extraction never ends by failing.
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' },
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  }).drain;

const { recordExtraction, orderStop } = proxyLocalActivities<ExtractionActivities>(WRITE_OPTIONS);

/** One tenant's extraction: it lives as long as the tenant, obeys `pause` and `resume`, and never ends by failing. */
export async function extraction(input: ExtractionInput): Promise<void> {
  let state = initialState(input, now());
  // Only for the report: no decision is made by it.
  let waiting = input.waiting ?? null;
  let { tuning } = input;
  /** A new history is asked for. */
  let renew = false;
  /** Somebody said in this run whether it is to be paused. */
  let isDecided = false;

  // When the wait that is under way ends by itself.
  let nextTryAt: string | null = null;
  const projector = createProjector(
    input.tenantId,
    () => viewOf(state, nextTryAt),
    () => tuning,
    recordExtraction,
  );
  const endsHere = (): boolean => renew || tooLong(tuning.continueAsNewAfter);

  const report = (): ReportContext => ({
    next: nextMove(state, tuning),
    now: now(),
    waiting,
    consoleUrl: tuning.consoleUrl === undefined ? null : `${tuning.consoleUrl}/${input.tenantId}`,
  });

  const display = createDisplay(
    () => currentDetails(state, report()),
    () => listed(state),
  );

  const on = (event: ExtractionEvent): void => {
    if (event.type === 'tune') tuning = event.tuning;
    renew ||= event.type === 'renew';
    isDecided ||= event.type === 'pause' || event.type === 'resume';
    const before = state;
    state = reduce(state, event, now());
    if (state !== before) display.changed();
    projector.changed();
  };

  const ignored = (name: string): void => on({ type: 'unknownSignal', name });
  const onSignal = signalHandlers<ExtractionEvent>(on, ignored);
  onSignal(
    pauseSignal,
    'Stop extraction. Events go on arriving and wait; those in SQS expire after its retention. Input: {"by": "your name", "reason": "why"}',
    (given) => ({ type: 'pause', ...asked(given), at: askedAt(given, now()) }),
  );
  onSignal(resumeSignal, 'Go on after a pause, and take in all that waits. Input: {"by": "your name"}', (given) => ({
    type: 'resume',
    ...asked(given),
  }));
  onSignal(wakeSignal, 'Look now whether events wait. The API sends it when one arrives. No input.', () => ({
    type: 'wake',
  }));
  onSignal(
    credentialsChangedSignal,
    'A problem was mended: try again now, with the credentials that are stored now. No input.',
    () => ({ type: 'credentialsChanged' }),
  );
  onSignal(
    archiveSignal,
    'While paused: take the events that wait out of SQS into the ledger, where none expires. Nothing is asked of Gladly. No input.',
    () => ({ type: 'archive' }),
  );
  onSignal(
    warnSignal,
    'Events that wait are about to expire, or not any more. Sent by the sweep: not for people.',
    (given) => {
      const problem = problemIn(given);
      return problem === null && given !== null ? null : { type: 'warn', problem };
    },
  );
  onSignal(
    disconnectSignal,
    'Not for people: sent while a tenant is being disconnected. Otherwise the next sweep begins extraction anew. To stop it use pause, to disconnect the console. Input: {"by": "your name", "reason": "why"}',
    (given) => ({ type: 'disconnect', ...asked(given) }),
  );
  onSignal(tuneExtractionSignal, TUNE, (given) => {
    const times = extractionTuningIn(given);
    return times && { type: 'tune', tuning: times };
  });
  onSignal(renewSignal, RENEW, () => ({ type: 'renew' }));
  onUnknownSignal(ignored);
  setHandler(extractionStatusQuery, () => status(state), {
    description: 'What it is doing, since when, who or what stopped it, and why.',
  });
  display.show();

  // Cancelled or not: without its extraction a tenant's events would wait until they expire. `disconnect` ends it, in order.
  await CancellationScope.nonCancellable(async () => {
    await keepPause();
    for (;;) {
      const next = nextMove(state, tuning);
      if (next.move === 'end') return await projector.settled();
      if (endsHere()) {
        await projector.settled();
        // `pause` is of the very start: by now it is carried.
        const { pause: _, waiting: __, ...same } = input;
        await continueAsNew<typeof extraction>({
          ...same,
          tuning,
          carried: carry(state),
          ...(waiting === null ? {} : { waiting }),
        });
      }
      if (next.move === 'drain') await drain(next);
      else await wait(next);
    }
  });

  /**
   * Whatever began this run (a reset, the sweep), and whatever it knows: what was paused stays paused, and what was resumed resumed, unless
   * somebody has said otherwise since.
   */
  async function keepPause(): Promise<void> {
    const before = await projector.before;
    if (before === null || before.phase === 'disconnected' || isDecided) return;
    if (before.pause) on({ type: 'pause', ...before.pause });
    else if (state.pause) on({ type: 'resume', ...state.pause });
  }

  async function drain({ mode, probe }: Extract<NextMove, { move: 'drain' }>): Promise<void> {
    on({ type: 'drainStarted', mode });
    const result = await unlessStopped(
      () => shouldStop(state) || renew,
      () => drainOf(mode)({ tenantId: input.tenantId, mode, probe }),
      () => orderStop(input.tenantId),
    );
    waiting = result?.waiting ?? waiting;
    on({ type: 'drainEnded', result: result ?? STOPPED });
  }

  async function wait({ forMs, why }: Extract<NextMove, { move: 'wait' }>): Promise<void> {
    const known = tuning;
    const somethingElse = () => nextMove(state, tuning).move !== 'wait' || tuning !== known || endsHere();
    nextTryAt = forMs === null ? null : new Date(Date.now() + forMs).toISOString();
    projector.changed();
    if (forMs === null) await condition(somethingElse);
    else if (!(await condition(somethingElse, forMs, { summary: why }))) on({ type: 'timeToLook' });
    nextTryAt = null;
  }
}

/** Result of a drain that was stopped without one. What it held is received again; a drain that only seems dead is fenced. */
const STOPPED: DrainResult = {
  end: { kind: 'stopped' },
  counts: { takenIn: 0, extracted: 0, gone: 0, rejected: 0, calls: 0 },
};

/**
 * What lists of workflows show. Parked counts as running: an event every few seconds parks and wakes a tenant as often, and each write
 * of search attributes is a transaction in Temporal's visibility store (`npm run bench -- freshness`: p99 of 7 s and more with it).
 */
function listed({ phase, pause, problem, warning }: ExtractionState) {
  // What stands in the way is worse than what is about to happen.
  const code = problem?.code ?? warning?.code ?? null;
  return { state: shownPhase(phase), problem: code, pausedSince: pause && new Date(pause.at) };
}

function status(state: ExtractionState): ExtractionStatus {
  const { phase, since, pause, problem, warning, totals, drains, unknownSignals, lastUnknownSignal } = state;
  return { phase, since, pause, problem, warning, totals, drains, unknownSignals, lastUnknownSignal };
}
