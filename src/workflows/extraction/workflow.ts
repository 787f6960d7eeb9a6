import {
  CancellationScope,
  condition,
  continueAsNew,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
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
  resumeSignal,
  wakeSignal,
  warnSignal,
} from '../../contracts/extraction.ts';
import { unlessStopped } from '../shared/cancellable.ts';
import { createProjector, WRITE_OPTIONS } from '../shared/projector.ts';
import { createDisplay, now, tooLong } from '../shared/run.ts';
import { asked, onUnknownSignal, problemIn } from '../shared/signal-input.ts';
import { currentDetails, type ReportContext } from './details.ts';
import {
  carry,
  type ExtractionEvent,
  type ExtractionState,
  initialState,
  nextMove,
  reduce,
  shouldStop,
  shownPhase,
  viewOf,
} from './reducer.ts';

const drainOf = (mode: DrainMode) =>
  proxyActivities<ExtractionActivities>({
    summary: mode === 'full' ? 'Take in and extract what waits' : 'Take in what waits, and ask nothing of Gladly',
    // A drain ends by itself within its budget (src/activities/drain/limits.ts, a minute); ten are a drain that hangs.
    startToCloseTimeout: '10 minutes',
    // Cancellation travels with heartbeats, and they with the worker's cap (src/roles/worker.ts): this only says when a worker is dead.
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

  const display = createDisplay(
    () => currentDetails(state, report()),
    () => listed(state),
  );

  const on = (event: ExtractionEvent): void => {
    const before = state;
    state = reduce(state, event, now());
    if (state !== before) display.changed();
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
  setHandler(warnSignal, (given) => on({ type: 'warn', problem: problemIn(given) }), {
    description: 'Events that wait are about to expire, or not any more. Sent by the sweep: not for people.',
  });
  setHandler(disconnectSignal, (request) => on({ type: 'disconnect', ...asked(request) }), {
    description:
      'End extraction for good; to stop it for a while, use pause. To disconnect a tenant use the console: it tidies up too. Input: {"by": "your name", "reason": "why"}',
  });
  onUnknownSignal((name) => on({ type: 'unknownSignal', name }));
  setHandler(extractionStatusQuery, () => status(state), {
    description: 'What it is doing, since when, who or what stopped it, and why.',
  });
  display.show();

  // Cancelled or not: without its extraction a tenant's events would wait until they expire. `disconnect` ends it, in order.
  await CancellationScope.nonCancellable(async () => {
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
        const result = await unlessStopped(
          () => shouldStop(state),
          () => drainOf(next.mode)({ tenantId: input.tenantId, mode: next.mode, probe: next.probe }),
        );
        waiting = result?.waiting ?? waiting;
        on({ type: 'drainEnded', result: result ?? STOPPED });
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
  });
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
