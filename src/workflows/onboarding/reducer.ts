import type {
  CancelRequest,
  CarriedOnboarding,
  OnboardingInput,
  OnboardingTunings,
  StepName,
  StepResult,
  SubmittedCredentials,
  WebhookSetup,
} from '../../contracts/onboarding.ts';
import { STEPS } from '../../contracts/onboarding.ts';
import { problem } from '../../contracts/problems.ts';
import { since } from '../shared/problem.ts';
import { currentStep, DONE, stepOf, untried, withStep } from './steps.ts';

export type OnboardingEvent =
  | ({ readonly type: 'credentialsSubmitted' } & SubmittedCredentials)
  | { readonly type: 'webhookSetupChosen'; readonly setup: WebhookSetup }
  | {
      readonly type:
        | 'recheck'
        | 'webhookSeen'
        | 'timeToLook'
        | 'timeToRemind'
        | 'keyReplacementAsked'
        | 'callOff'
        | 'unknownSignal';
    }
  /** Of the workflow around the state, which is the same after them. */
  | { readonly type: 'tune'; readonly tunings: OnboardingTunings }
  | { readonly type: 'renew' }
  | ({ readonly type: 'cancel' } & CancelRequest)
  | { readonly type: 'stepBegun'; readonly step: StepName }
  | ({ readonly type: 'stepTried'; readonly step: StepName; readonly result: StepResult } & MadeWith & NextTry)
  | { readonly type: 'cancelBegun' }
  | ({ readonly type: 'tracesRemoved'; readonly result: StepResult } & NextTry);

/** What a try was made with: a verdict on credentials that were replaced meanwhile is worth nothing. */
export interface MadeWith {
  readonly credentialsVersion: number;
  readonly webhookSetup: WebhookSetup;
}

interface NextTry {
  /** How long until the next try by itself; null when none is due. */
  readonly nextTryMs: number | null;
}

/** Steps that look at Gladly with the credentials at hand. */
const VERIFIED_WITH_CREDENTIALS: readonly StepName[] = ['domain', 'token', 'roles', 'webhook', 'extraction'];

const DAY_MS = 86_400_000;
/** From the answer to Gladly's test call until Gladly lists the webhook: not documented, so a generous guess. */
const SAVED_AFTER_MS = 2_000;

export function initialState(input: OnboardingInput, at: string): CarriedOnboarding {
  const fresh: CarriedOnboarding = {
    version: 1,
    state: 'in_progress',
    since: at,
    steps: STEPS.map((name) => untried(name, at)),
    credentialsVersion: 0,
    user: null,
    webhookSetup: input.webhookSetup,
    renewKey: false,
    look: false,
    problem: null,
    cancel: null,
    cancelAttempts: 0,
    nextCancelTryAt: null,
    unknownSignals: 0,
  };
  return input.carried ? readOver(fresh, input.carried, at) : fresh;
}

/**
 * What an earlier release did not carry is as at the very start; what only a later one knows is kept for it. But its steps are not: each step
 * looks for itself, so one that is new here is tried, and one that is unknown here will be.
 */
function readOver(fresh: CarriedOnboarding, carried: CarriedOnboarding, at: string): CarriedOnboarding {
  const steps = fresh.steps.map((step) => ({ ...step, ...carried.steps.find(({ name }) => name === step.name) }));
  const read: CarriedOnboarding = { ...fresh, ...carried, steps };
  const isOver = currentStep(read) === null;
  if (read.state === 'done' && !isOver) return { ...read, state: 'in_progress', since: at };
  return read.state === 'in_progress' && isOver ? { ...read, state: 'done', since: at } : read;
}

/** `at` is the ISO time of the event. Any event in any state; twice the same is once. */
export function reduce(state: CarriedOnboarding, event: OnboardingEvent, at: string): CarriedOnboarding {
  return awaitCredentials(apply(state, event, at), at);
}

function apply(state: CarriedOnboarding, event: OnboardingEvent, at: string): CarriedOnboarding {
  switch (event.type) {
    case 'credentialsSubmitted':
      return credentialsSubmitted(state, event, at);
    case 'webhookSetupChosen':
      return event.setup === state.webhookSetup
        ? { ...state, look: true }
        : again({ ...state, webhookSetup: event.setup }, at, ['webhook']);
    case 'recheck':
      return state.state === 'done' ? again(state, at) : { ...state, look: true };
    case 'webhookSeen':
      return webhookSeen(state, at);
    case 'keyReplacementAsked':
      return state.webhookSetup === 'create_for_me' ? again({ ...state, renewKey: true }, at, ['webhook']) : state;
    case 'timeToLook':
      return { ...state, look: true };
    case 'timeToRemind':
      return remind(state, at);
    case 'unknownSignal':
      return { ...state, unknownSignals: state.unknownSignals + 1 };
    case 'cancel':
      return cancel(state, event, at);
    case 'callOff':
      return calledOff(state, at);
    case 'tune':
    case 'renew':
      return state;
    case 'stepBegun':
      return begun({ ...state, look: false }, event.step, at);
    case 'stepTried':
      return tried(state, event, at);
    case 'cancelBegun':
      return { ...state, look: false, nextCancelTryAt: null };
    case 'tracesRemoved':
      return tracesRemoved(state, event, at);
  }
}

function credentialsSubmitted(
  state: CarriedOnboarding,
  { version, setup = state.webhookSetup }: SubmittedCredentials,
  at: string,
): CarriedOnboarding {
  if (version <= state.credentialsVersion) return state;
  const known = withStep(state, 'credentials', DONE, at);
  return again({ ...known, credentialsVersion: version, user: null, webhookSetup: setup }, at);
}

/**
 * Proof waits for deliveries, and once it is done it is looked at again until every kind of event was seen. A webhook that is missing or
 * wrong has just been saved: Gladly makes its test call before it saves, so the look comes a moment later.
 */
function webhookSeen(state: CarriedOnboarding, at: string): CarriedOnboarding {
  const name = currentStep(state);
  if (name === 'proof') return { ...state, look: true };
  if (name === 'webhook' && stepOf(state, name).state === 'needs_you')
    return withStep(state, name, { nextTryAt: later(at, SAVED_AFTER_MS) }, at);
  return state.state === 'done' && stepOf(state, 'proof').notices.length > 0 ? { ...state, look: true } : state;
}

function remind(state: CarriedOnboarding, at: string): CarriedOnboarding {
  const name = currentStep(state);
  const stuckSince = name === null ? null : stepOf(state, name).stuckSince;
  if (name === null || stuckSince === null) return state;
  const days = Math.floor((Date.parse(at) - Date.parse(stuckSince)) / DAY_MS);
  return withStep(state, name, { reminder: { ...problem('step_overdue', { step: name, days }), since: at } }, at);
}

function cancel(
  state: CarriedOnboarding,
  { by, reason, discardWaitingEvents }: CancelRequest,
  at: string,
): CarriedOnboarding {
  if (state.state === 'cancelled') return state;
  const saysNothingNew = state.cancel && (state.cancel.discardWaitingEvents || !discardWaitingEvents);
  if (saysNothingNew) return { ...state, look: true };
  return { ...state, cancel: { by, reason, discardWaitingEvents, at }, state: 'cancelling', since: at, look: true };
}

/** A step that is done and is looked at once more stays done. */
function begun(state: CarriedOnboarding, step: StepName, at: string): CarriedOnboarding {
  if (stepOf(state, step).state === 'done') return state;
  return withStep(state, step, { state: 'checking', nextTryAt: null }, at);
}

/** Whatever was taken back by then is made again: each step looks for itself. */
function calledOff(state: CarriedOnboarding, at: string): CarriedOnboarding {
  if (state.state !== 'cancelling') return state;
  const kept: CarriedOnboarding = {
    ...state,
    state: 'in_progress',
    since: at,
    problem: null,
    cancel: null,
    cancelAttempts: 0,
    nextCancelTryAt: null,
  };
  return again(kept, at, ['provision', ...VERIFIED_WITH_CREDENTIALS]);
}

function tried(
  state: CarriedOnboarding,
  event: Extract<OnboardingEvent, { type: 'stepTried' }>,
  at: string,
): CarriedOnboarding {
  const { step, result } = event;
  const before = stepOf(state, step);
  if (before.state === 'done') {
    const nextTryAt = later(at, event.nextTryMs);
    // Whatever is in the way now: what was proven is proven.
    const news = result.kind === 'done' ? { evidence: result.evidence, notices: result.notices } : {};
    return withStep(state, step, { ...news, nextTryAt }, at);
  }
  if (before.state !== 'checking' || isOutdated(step, event, state)) return state;
  const attempts = before.attempts + 1;
  const { evidence } = result;
  if (result.kind === 'done') {
    const renewKey = step === 'webhook' ? false : state.renewKey;
    const seen = { ...state, renewKey, user: result.user ?? state.user };
    const nextTryAt = later(at, event.nextTryMs);
    const after = withStep(seen, step, { ...DONE, attempts, evidence, notices: result.notices, nextTryAt }, at);
    const finished = currentStep(after) === null && after.state === 'in_progress';
    return finished ? { ...after, state: 'done', since: at } : after;
  }
  const asks = result.kind === 'needs_you';
  return withStep(
    state,
    step,
    {
      state: asks ? 'needs_you' : 'retrying',
      stuckSince: before.stuckSince ?? at,
      attempts,
      evidence,
      problem: since(before.problem, result.problem, at),
      furtherProblems: (asks ? (result.further ?? []) : []).map((it) => ({ ...it, since: at })),
      notices: asks ? (result.notices ?? []) : before.notices,
      nextTryAt: later(at, event.nextTryMs),
    },
    at,
  );
}

/** Whether a try of this step was made with something that has been replaced since. */
export function isOutdated(step: StepName, made: MadeWith, state: CarriedOnboarding): boolean {
  if (step === 'provision') return false;
  if (made.credentialsVersion !== state.credentialsVersion) return true;
  return step === 'webhook' && made.webhookSetup !== state.webhookSetup;
}

function tracesRemoved(
  state: CarriedOnboarding,
  { result, nextTryMs }: Extract<OnboardingEvent, { type: 'tracesRemoved' }>,
  at: string,
): CarriedOnboarding {
  if (result.kind === 'done') return { ...state, state: 'cancelled', since: at, problem: null, look: false };
  // Called off meanwhile.
  if (state.cancel === null) return state;
  return {
    ...state,
    problem: since(state.problem, result.problem, at),
    cancelAttempts: state.cancelAttempts + 1,
    nextCancelTryAt: later(at, nextTryMs),
  };
}

/** These steps are verified anew. What was proven by a delivery stays proven. */
function again(
  state: CarriedOnboarding,
  at: string,
  steps: readonly StepName[] = VERIFIED_WITH_CREDENTIALS,
): CarriedOnboarding {
  return {
    ...state,
    ...(state.state === 'done' ? { state: 'in_progress', since: at } : {}),
    steps: state.steps.map((step) => (steps.includes(step.name) ? untried(step.name, at) : step)),
    look: true,
  };
}

/** While it is the credentials' turn, they are what is missing. */
function awaitCredentials(state: CarriedOnboarding, at: string): CarriedOnboarding {
  if (currentStep(state) !== 'credentials' || stepOf(state, 'credentials').state === 'needs_you') return state;
  const missing = { ...problem('credentials_missing'), since: at };
  return withStep(state, 'credentials', { state: 'needs_you', stuckSince: at, problem: missing }, at);
}

const later = (at: string, ms: number | null): string | null =>
  ms === null ? null : new Date(Date.parse(at) + ms).toISOString();
