import {
  ActivityCancellationType,
  CancellationScope,
  condition,
  continueAsNew,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
} from '@temporalio/workflow';
import { RENEW, TUNE } from '../../contracts/descriptions.ts';
import { renewSignal } from '../../contracts/extraction.ts';
import {
  callOffSignal,
  cancelSignal,
  chooseWebhookSetupSignal,
  type OnboardingActivities,
  type OnboardingInput,
  type OnboardingStatus,
  type OnboardingTunings,
  onboardingStatusQuery,
  recheckSignal,
  replaceWebhookKeySignal,
  type StepName,
  type StepResult,
  submitCredentialsSignal,
  tuneOnboardingSignal,
  webhookSeenSignal,
} from '../../contracts/onboarding.ts';
import { unlessStopped } from '../shared/cancellable.ts';
import { createProjector, WRITE_OPTIONS } from '../shared/projector.ts';
import { createDisplay, now, tooLong } from '../shared/run.ts';
import { cancelAsked, credentialsIn, isWebhookSetup, onboardingTuningsIn } from '../shared/signal-input.ts';
import { onUnknownSignal, signalHandlers } from '../shared/signals.ts';
import { currentDetails } from './details.ts';
import { nextByItself, nextMove, nextTryMs } from './moves.ts';
import { initialState, isOutdated, type MadeWith, type OnboardingEvent, reduce } from './reducer.ts';
import { searchable, statusOf } from './status.ts';
import { stepOf } from './steps.ts';

const activity = (summary: string) =>
  proxyActivities<OnboardingActivities>({
    summary,
    // A step asks Gladly a handful of questions of 15 s each, one of 60 s (src/gladly/client.ts), at 2 a second.
    startToCloseTimeout: '3 minutes',
    // Activities beat every second by themselves: after this long their worker is dead, and another takes over.
    heartbeatTimeout: '5 seconds',
    // Only trouble of our own throws; what Gladly says is a result, and the retries of that are the workflow's, so that people see them.
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' },
    // A step that was cut off while it changes something is never at work beside its successor.
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });

const { recordOnboarding } = proxyLocalActivities<OnboardingActivities>(WRITE_OPTIONS);

/** Connects one customer: finds out what is in the way, retries what is retryable, and asks a person for the rest. It stays for
 * as long as the customer does, so that credentials can be replaced. */
export async function onboarding(input: OnboardingInput): Promise<void> {
  const { tenantId } = input;
  let state = initialState(input, now());
  let tunings: OnboardingTunings = { own: input.tuning, extraction: input.extractionTuning };
  /** A new history is asked for. */
  let renew = false;
  /** What was asked for in this run. */
  const decided = new Set<OnboardingEvent['type']>();
  const projector = createProjector(
    tenantId,
    () => statusOf(state),
    () => tunings,
    recordOnboarding,
  );
  const endsHere = (): boolean => renew || tooLong(tunings.own.continueAsNewAfter);

  const display = createDisplay(
    () => currentDetails(state),
    () => searchable(state),
  );

  const on = (event: OnboardingEvent): void => {
    if (event.type === 'tune') ({ tunings } = event);
    renew ||= event.type === 'renew';
    decided.add(event.type);
    const before = state;
    state = reduce(state, event, now());
    if (state !== before) display.changed();
    projector.changed();
  };

  const ignored = (): void => on({ type: 'unknownSignal' });
  const onSignal = signalHandlers<OnboardingEvent>(on, ignored);
  onSignal(
    submitCredentialsSignal,
    'Checks credentials that were just stored. Sent by the API: credentials never come this way.',
    (given) => {
      const submitted = credentialsIn(given);
      return submitted && { type: 'credentialsSubmitted', ...submitted };
    },
  );
  onSignal(recheckSignal, 'Something was mended: look again now.', () => ({ type: 'recheck' }));
  onSignal(chooseWebhookSetupSignal, 'Who makes the webhook. Input: "create_for_me" or "by_hand"', (setup) =>
    isWebhookSetup(setup) ? { type: 'webhookSetupChosen', setup } : null,
  );
  onSignal(
    replaceWebhookKeySignal,
    'Gives the webhook that we created a new key. The old one works until the new one was seen. No input.',
    () => ({ type: 'keyReplacementAsked' }),
  );
  onSignal(webhookSeenSignal, 'A delivery with the right key has arrived. Sent by the API.', () => ({
    type: 'webhookSeen',
  }));
  onSignal(
    cancelSignal,
    'Ends it and takes back what it made. Input: {"by": "your name", "reason": "why", "discardWaitingEvents": false}',
    (request) => ({ type: 'cancel', ...cancelAsked(request) }),
  );
  onSignal(
    callOffSignal,
    'Keeps a tenant that is being disconnected: what was taken back already is made again. No input.',
    () => ({ type: 'callOff' }),
  );
  onSignal(tuneOnboardingSignal, TUNE, (given) => {
    const found = onboardingTuningsIn(given);
    return found && { type: 'tune', tunings: found };
  });
  onSignal(renewSignal, RENEW, () => ({ type: 'renew' }));
  onUnknownSignal(ignored);
  setHandler(onboardingStatusQuery, () => statusOf(state), { description: 'Each step, and what is in the way.' });
  display.show();

  // Cancelled or not: its webhook, queue and keys would stay behind. The signal `cancel` takes them back.
  await CancellationScope.nonCancellable(async () => {
    keepKnown(await projector.before);
    for (;;) {
      const next = nextMove(state);
      if (next.move === 'end') return await projector.settled();
      if (endsHere()) {
        await projector.settled();
        await continueAsNew<typeof onboarding>({
          ...input,
          tuning: tunings.own,
          extractionTuning: tunings.extraction,
          carried: state,
        });
      }
      if (next.move === 'try') await tryStep(next.step);
      else if (next.move === 'remove_traces') await removeTraces(next.discardWaitingEvents);
      else await waitForNews();
    }
  });

  /** Whatever began this run (a reset, the sweep), and whatever it knows: what people have said before still holds, unless it was said otherwise since. */
  function keepKnown(before: OnboardingStatus | null): void {
    if (before === null || before.state === 'cancelled') return;
    const { credentialsVersion: version, webhookSetup: setup, cancel } = before;
    if (version > state.credentialsVersion) on({ type: 'credentialsSubmitted', version });
    if (setup !== state.webhookSetup && !decided.has('webhookSetupChosen')) on({ type: 'webhookSetupChosen', setup });
    if (cancel && state.cancel === null && !decided.has('callOff')) on({ type: 'cancel', ...cancel });
    if (!cancel && state.cancel && !decided.has('cancel')) on({ type: 'callOff' });
  }

  async function tryStep(step: StepName): Promise<void> {
    on({ type: 'stepBegun', step });
    const made = { credentialsVersion: state.credentialsVersion, webhookSetup: state.webhookSetup };
    const result = await unlessStopped(
      () => isOutdated(step, made, state) || state.cancel !== null,
      () => carryOut(step, made),
    );
    if (result === null) return;
    const attempts = stepOf(state, step).attempts + 1;
    on({ type: 'stepTried', step, result, ...made, nextTryMs: nextTryMs(result, step, attempts, tunings.own) });
  }

  async function removeTraces(discardWaitingEvents: boolean): Promise<void> {
    on({ type: 'cancelBegun' });
    const { credentialsVersion } = state;
    const asked = state.cancel ?? { by: 'somebody', reason: 'no reason given' };
    const result = await unlessStopped(
      () => state.cancel === null,
      () =>
        activity('Take back what was made').removeTraces({
          tenantId,
          credentialsVersion,
          discardWaitingEvents,
          request: { by: asked.by, reason: asked.reason },
        }),
    );
    if (result === null) return;
    const attempts = state.cancelAttempts + 1;
    on({ type: 'tracesRemoved', result, nextTryMs: nextTryMs(result, 'cancel', attempts, tunings.own) });
  }

  async function carryOut(step: StepName, { credentialsVersion, webhookSetup }: MadeWith): Promise<StepResult> {
    const of = { tenantId, credentialsVersion };
    switch (step) {
      case 'provision':
        return activity('Queue, dead-letter queue').provision({ tenantId, retentionDays: input.retentionDays });
      case 'credentials':
        throw new RangeError('Credentials are waited for, not tried.');
      case 'domain':
        return activity('Is there a Gladly organization at the domain?').checkDomain(of);
      case 'token':
        return activity('Do email address and token work?').checkToken({ ...of, user: state.user });
      case 'roles':
        return activity('Has the user the three roles?').checkRoles({ ...of, user: state.user });
      case 'webhook':
        return activity('Is the webhook as it should be?').checkWebhook({
          ...of,
          setup: webhookSetup,
          renewKey: state.renewKey,
        });
      case 'proof':
        return activity('Has a delivery with the right key arrived?').checkProof(of);
      case 'extraction':
        return activity('Start extraction').startExtraction({
          ...of,
          pause: input.startPaused,
          tuning: tunings.extraction,
        });
    }
  }

  async function waitForNews(): Promise<void> {
    const due = nextByItself(state, tunings.own);
    // Somebody changed when the next thing is due: wait anew.
    const news = () =>
      nextMove(state).move !== 'wait' || nextByItself(state, tunings.own)?.at !== due?.at || endsHere();
    if (due === null) await condition(news);
    else if (!(await condition(news, Math.max(Date.parse(due.at) - Date.now(), 1)))) on({ type: due.event });
  }
}
