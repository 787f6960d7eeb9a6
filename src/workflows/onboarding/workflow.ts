import {
  ActivityCancellationType,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
} from '@temporalio/workflow';
import {
  cancelSignal,
  chooseWebhookSetupSignal,
  type OnboardingActivities,
  type OnboardingInput,
  onboardingStatusQuery,
  recheckSignal,
  replaceWebhookKeySignal,
  type StepName,
  type StepResult,
  submitCredentialsUpdate,
  webhookSeenSignal,
} from '../../contracts/onboarding.ts';
import { unlessStopped } from '../shared/cancellable.ts';
import { createProjector, WRITE_OPTIONS } from '../shared/projector.ts';
import { createDisplay, now, tooLong } from '../shared/run.ts';
import { cancelAsked, isSubmittedCredentials, isWebhookSetup, onUnknownSignal } from '../shared/signal-input.ts';
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
  const { tenantId, tuning } = input;
  let state = initialState(input, now());
  const projector = createProjector(tenantId, () => statusOf(state), recordOnboarding);

  const display = createDisplay(
    () => currentDetails(state),
    () => searchable(state),
  );

  const on = (event: OnboardingEvent): void => {
    const before = state;
    state = reduce(state, event, now());
    if (state !== before) display.changed();
    projector.changed();
  };

  // Handlers only set state: asynchronous ones lose signals over continue-as-new.
  setHandler(
    submitCredentialsUpdate,
    ({ version }) => {
      on({ type: 'credentialsSubmitted', version });
      return { version: state.credentialsVersion };
    },
    {
      description: 'Checks credentials that were just stored. Used by the API: credentials never come this way.',
      validator: (given) => {
        if (!isSubmittedCredentials(given))
          throw ApplicationFailure.nonRetryable('The version of stored credentials is a whole number from 1 on.');
      },
    },
  );
  setHandler(recheckSignal, () => on({ type: 'recheck' }), { description: 'Something was mended: look again now.' });
  setHandler(
    chooseWebhookSetupSignal,
    (setup) => {
      if (isWebhookSetup(setup)) on({ type: 'webhookSetupChosen', setup });
    },
    { description: 'Who makes the webhook. Input: "create_for_me" or "by_hand"' },
  );
  setHandler(replaceWebhookKeySignal, () => on({ type: 'keyReplacementAsked' }), {
    description: 'Gives the webhook that we created a new key. The old one works until the new one was seen. No input.',
  });
  setHandler(webhookSeenSignal, () => on({ type: 'webhookSeen' }), {
    description: 'A delivery with the right key has arrived. Sent by the API.',
  });
  setHandler(cancelSignal, (request) => on({ type: 'cancel', ...cancelAsked(request) }), {
    description:
      'Ends it and takes back what it made. Input: {"by": "your name", "reason": "why", "discardWaitingEvents": false}',
  });
  onUnknownSignal(() => on({ type: 'unknownSignal' }));
  setHandler(onboardingStatusQuery, () => statusOf(state), { description: 'Each step, and what is in the way.' });
  display.show();

  // Cancelled or not: its webhook, queue and keys would stay behind. The signal `cancel` takes them back.
  await CancellationScope.nonCancellable(async () => {
    for (;;) {
      const next = nextMove(state);
      if (next.move === 'end') return await projector.settled();
      if (tooLong(tuning.continueAsNewAfter)) {
        await projector.settled();
        await continueAsNew<typeof onboarding>({ ...input, carried: state });
      }
      if (next.move === 'try') await tryStep(next.step);
      else if (next.move === 'remove_traces') await removeTraces(next.discardWaitingEvents);
      else await waitForNews();
    }
  });

  async function tryStep(step: StepName): Promise<void> {
    on({ type: 'stepBegun', step });
    const made = { credentialsVersion: state.credentialsVersion, webhookSetup: state.webhookSetup };
    const result = await unlessStopped(
      () => isOutdated(step, made, state) || state.cancel !== null,
      () => carryOut(step, made),
    );
    if (result === null) return;
    const attempts = stepOf(state, step).attempts + 1;
    on({ type: 'stepTried', step, result, ...made, nextTryMs: nextTryMs(result, step, attempts, tuning) });
  }

  async function removeTraces(discardWaitingEvents: boolean): Promise<void> {
    on({ type: 'cancelBegun' });
    const { credentialsVersion } = state;
    const asked = state.cancel ?? { by: 'somebody', reason: 'no reason given' };
    const result = await activity('Take back what was made').removeTraces({
      tenantId,
      credentialsVersion,
      discardWaitingEvents,
      request: { by: asked.by, reason: asked.reason },
    });
    const attempts = state.cancelAttempts + 1;
    on({ type: 'tracesRemoved', result, nextTryMs: nextTryMs(result, 'cancel', attempts, tuning) });
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
          tuning: input.extractionTuning,
        });
    }
  }

  async function waitForNews(): Promise<void> {
    const due = nextByItself(state, tuning);
    // Somebody changed when the next thing is due: wait anew.
    const news = () =>
      nextMove(state).move !== 'wait' ||
      nextByItself(state, tuning)?.at !== due?.at ||
      tooLong(tuning.continueAsNewAfter);
    if (due === null) await condition(news);
    else if (!(await condition(news, Math.max(Date.parse(due.at) - Date.now(), 1)))) on({ type: due.event });
  }
}
