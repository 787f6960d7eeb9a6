import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CarriedOnboarding, OnboardingInput, StepName, StepResult } from '../../../src/contracts/onboarding.ts';
import { STEPS } from '../../../src/contracts/onboarding.ts';
import { problem } from '../../../src/contracts/problems.ts';
import { currentDetails } from '../../../src/workflows/onboarding/details.ts';
import { nextByItself, nextMove, nextTryMs } from '../../../src/workflows/onboarding/moves.ts';
import { initialState, type OnboardingEvent, reduce } from '../../../src/workflows/onboarding/reducer.ts';
import { searchable } from '../../../src/workflows/onboarding/status.ts';
import { currentStep, stepOf } from '../../../src/workflows/onboarding/steps.ts';

const MINUTE = 60_000;
const TUNING = {
  retryMs: 1_000,
  retryMaxMs: 5 * MINUTE,
  recheckMs: 15 * MINUTE,
  proofLookMs: MINUTE,
  overdueMs: 3 * 24 * 60 * MINUTE,
  continueAsNewAfter: 2_000,
};
const INPUT: OnboardingInput = {
  version: 1,
  tenantId: 'acme',
  retentionDays: 4,
  webhookSetup: 'by_hand',
  startPaused: null,
  tuning: TUNING,
  extractionTuning: {
    parkedLookMs: 1,
    gladlyWaitMs: 1,
    gladlyWaitMaxMs: 1,
    attentionLookMs: 1,
    continueAsNewAfter: 1,
  },
};
const START = Date.parse('2026-01-01T00:00:00.000Z');
const at = (ms: number): string => new Date(START + ms).toISOString();
const FRESH = initialState(INPUT, at(0));

const done: StepResult = { kind: 'done', evidence: [], notices: [] };
const rejected: StepResult = { kind: 'needs_you', problem: problem('token_rejected', { domain: 'a' }), evidence: [] };
const trouble: StepResult = {
  kind: 'retry',
  problem: problem('gladly_server_error', { status: 500 }),
  evidence: [],
  retryAfterMs: null,
};

/** The step at hand is begun and comes to this. */
function tryIt(state: CarriedOnboarding, result: StepResult, ms: number): CarriedOnboarding {
  const move = nextMove(state);
  if (move.move !== 'try') throw new Error(`It would not try anything, but ${move.move}.`);
  const { step } = move;
  const begun = reduce(state, { type: 'stepBegun', step }, at(ms));
  return reduce(begun, triedNow(begun, step, result), at(ms));
}

function triedNow(state: CarriedOnboarding, step: StepName, result: StepResult): OnboardingEvent {
  const { credentialsVersion, webhookSetup } = state;
  const nextTry = nextTryMs(result, step, stepOf(state, step).attempts + 1, TUNING);
  return { type: 'stepTried', step, result, credentialsVersion, webhookSetup, nextTryMs: nextTry };
}

const give = (state: CarriedOnboarding, version: number, ms: number): CarriedOnboarding =>
  reduce(state, { type: 'credentialsSubmitted', version }, at(ms));

/** Done up to this step, which is at hand then. */
function upTo(step: StepName): CarriedOnboarding {
  let state = give(FRESH, 1, 0);
  while (currentStep(state) !== step) state = tryIt(state, done, 0);
  return state;
}

const allDone = tryIt(upTo('extraction'), done, 0);

describe('the steps', () => {
  it('begin with the queues, and then ask for the credentials', () => {
    expect(nextMove(FRESH)).toEqual({ move: 'try', step: 'provision' });
    const waiting = tryIt(FRESH, done, 5);
    expect(nextMove(waiting)).toEqual({ move: 'wait' });
    expect(stepOf(waiting, 'credentials')).toMatchObject({
      state: 'needs_you',
      stuckSince: at(5),
      problem: { code: 'credentials_missing' },
    });
  });

  it('come one after the other, and end with done', () => {
    expect(allDone).toMatchObject({ state: 'done' });
    expect(allDone.steps.map((it) => it.state)).toEqual(STEPS.map(() => 'done'));
    expect(nextMove(allDone)).toEqual({ move: 'wait' });
    expect(nextByItself(allDone, TUNING)).toBeNull();
  });

  it('take credentials that were given before the queues were there', () => {
    const early = give(FRESH, 1, 0);
    expect(nextMove(tryIt(early, done, 1))).toEqual({ move: 'try', step: 'domain' });
  });
});

describe('what time heals', () => {
  it('is tried again from 1 s to 5 min, without end', () => {
    const waits = [1, 2, 3, 9, 10, 1_000].map((attempts) => nextTryMs(trouble, 'domain', attempts, TUNING));
    expect(waits).toEqual([1_000, 2_000, 4_000, 256_000, 300_000, 300_000]);
  });

  it('keeps to the pace that Gladly asks for', () => {
    expect(nextTryMs({ ...trouble, retryAfterMs: 90_000 }, 'domain', 1, TUNING)).toBe(90_000);
  });

  it('says since when it lasts, however often it was tried and whatever it was', () => {
    let state = tryIt(upTo('domain'), trouble, 1_000);
    expect(nextMove(state)).toEqual({ move: 'wait' });
    expect(nextByItself(state, TUNING)).toEqual({ event: 'timeToLook', at: at(2_000) });
    state = tryIt(reduce(state, { type: 'timeToLook' }, at(2_000)), trouble, 2_000);
    const other = { ...trouble, problem: problem('dns_failed', { domain: 'a' }) };
    const later = tryIt(reduce(state, { type: 'timeToLook' }, at(9_000)), other, 9_000);
    expect(stepOf(state, 'domain')).toMatchObject({ attempts: 2, problem: { since: at(1_000) } });
    expect(stepOf(later, 'domain')).toMatchObject({
      attempts: 3,
      stuckSince: at(1_000),
      problem: { since: at(9_000) },
    });
    const healed = tryIt(reduce(later, { type: 'timeToLook' }, at(9_500)), done, 9_500);
    expect(stepOf(healed, 'domain')).toMatchObject({ state: 'done', problem: null, stuckSince: null, nextTryAt: null });
  });
});

describe('what a person mends', () => {
  const stuck = tryIt(upTo('token'), rejected, 0);

  it('waits, is looked at every 15 min, and at once when asked', () => {
    expect(nextMove(stuck)).toEqual({ move: 'wait' });
    expect(nextByItself(stuck, TUNING)).toEqual({ event: 'timeToLook', at: at(15 * MINUTE) });
    expect(nextMove(reduce(stuck, { type: 'recheck' }, at(1)))).toEqual({ move: 'try', step: 'token' });
  });

  it('is looked at once more when somebody asks while it is being looked at', () => {
    const checking = reduce(stuck, { type: 'stepBegun', step: 'token' }, at(1));
    const asked = reduce(checking, { type: 'recheck' }, at(2));
    expect(nextMove(reduce(asked, triedNow(asked, 'token', rejected), at(3)))).toEqual({ move: 'try', step: 'token' });
  });

  it('is reminded of after three days, and again after three more', () => {
    const day = 24 * 60 * MINUTE;
    let state: CarriedOnboarding = tryIt(FRESH, done, 0);
    expect(nextByItself(state, TUNING)).toEqual({ event: 'timeToRemind', at: at(3 * day) });
    state = reduce(state, { type: 'timeToRemind' }, at(3 * day));
    expect(stepOf(state, 'credentials').reminder).toEqual({
      code: 'step_overdue',
      params: { step: 'credentials', days: 3 },
      since: at(3 * day),
    });
    expect(nextByItself(state, TUNING)).toEqual({ event: 'timeToRemind', at: at(6 * day) });
    expect(currentDetails(state)).toContain('The step credentials has waited for the customer for 3 days.');
    expect(stepOf(give(state, 1, 4 * day), 'credentials').reminder).toBeNull();
  });
});

describe('other credentials', () => {
  it('begin the checks anew, but what a delivery has proven stays proven', () => {
    const again = give(allDone, 2, 7);
    const open = again.steps.filter((it) => it.state === 'waiting').map((it) => it.name);
    expect(open).toEqual(['domain', 'token', 'roles', 'webhook', 'extraction']);
    expect(again).toMatchObject({ state: 'in_progress', since: at(7), user: null });
  });

  it('make a verdict on the ones before worthless', () => {
    const begun = reduce(upTo('token'), { type: 'stepBegun', step: 'token' }, at(1));
    const verdict = triedNow(begun, 'token', rejected);
    const after = reduce(give(begun, 2, 2), verdict, at(3));
    expect(currentStep(after)).toBe('domain');
    expect(stepOf(after, 'token').problem).toBeNull();
  });

  it('of an older version change nothing', () => {
    expect(give(give(FRESH, 2, 0), 1, 1)).toEqual(give(FRESH, 2, 0));
  });
});

describe('a new webhook key', () => {
  it('is asked of the webhook step once, and only where we made the webhook', () => {
    expect(reduce(allDone, { type: 'keyReplacementAsked' }, at(1))).toEqual(allDone);
    const ours = reduce(allDone, { type: 'webhookSetupChosen', setup: 'create_for_me' }, at(1));
    const asked = reduce(tryIt(ours, done, 2), { type: 'keyReplacementAsked' }, at(3));
    expect(asked).toMatchObject({ renewKey: true, state: 'in_progress' });
    expect(nextMove(asked)).toEqual({ move: 'try', step: 'webhook' });
    expect(tryIt(asked, done, 4)).toMatchObject({ renewKey: false, state: 'done' });
  });
});

describe('a cancellation', () => {
  const request = { by: 'ann', reason: 'a mistake' };
  const asked = reduce(upTo('roles'), { type: 'cancel', ...request, discardWaitingEvents: false }, at(1));

  it('takes back what was made, and ends', () => {
    expect(nextMove(asked)).toEqual({ move: 'remove_traces', discardWaitingEvents: false });
    const removed = reduce(
      reduce(asked, { type: 'cancelBegun' }, at(2)),
      { type: 'tracesRemoved', result: done, nextTryMs: null },
      at(3),
    );
    expect(removed.state).toBe('cancelled');
    expect(nextMove(removed)).toEqual({ move: 'end' });
  });

  it('asks a person when events wait, and goes on when they may be deleted', () => {
    const waiting: StepResult = { kind: 'needs_you', problem: problem('events_waiting', { count: 3 }), evidence: [] };
    const asks = reduce(
      reduce(asked, { type: 'cancelBegun' }, at(2)),
      { type: 'tracesRemoved', result: waiting, nextTryMs: TUNING.recheckMs },
      at(2),
    );
    expect(nextMove(asks)).toEqual({ move: 'wait' });
    expect(nextByItself(asks, TUNING)).toEqual({ event: 'timeToLook', at: at(2 + TUNING.recheckMs) });
    expect(searchable(asks)).toEqual({ state: 'cancelling', problem: 'events_waiting' });
    const confirmed = reduce(asks, { type: 'cancel', ...request, discardWaitingEvents: true }, at(3));
    expect(nextMove(confirmed)).toEqual({ move: 'remove_traces', discardWaitingEvents: true });
  });
});

describe('proof', () => {
  const noEvent: StepResult = { ...done, notices: [problem('no_event_yet')] };
  const proven = tryIt(tryIt(upTo('proof'), noEvent, 0), done, 0);

  it('is looked at when a delivery came, and the onboarding stays done', () => {
    expect(proven.state).toBe('done');
    const seen = reduce(proven, { type: 'webhookSeen' }, at(5));
    expect(nextMove(seen)).toEqual({ move: 'try', step: 'proof' });
    const begun = reduce(seen, { type: 'stepBegun', step: 'proof' }, at(5));
    const after = reduce(begun, triedNow(begun, 'proof', done), at(6));
    expect(begun.state).toBe('done');
    expect(after).toMatchObject({ state: 'done', since: proven.since });
    expect(stepOf(after, 'proof').notices).toEqual([]);
    expect(nextByItself(after, TUNING)).toBeNull();
  });

  it('that cannot be looked at for once stays done, and is looked at later', () => {
    const begun = reduce(reduce(proven, { type: 'timeToLook' }, at(5)), { type: 'stepBegun', step: 'proof' }, at(5));
    const after = reduce(begun, triedNow(begun, 'proof', trouble), at(6));
    expect(after.state).toBe('done');
    expect(nextMove(after)).toEqual({ move: 'wait' });
    expect(nextByItself(after, TUNING)).toEqual({ event: 'timeToLook', at: at(6 + TUNING.proofLookMs) });
  });

  it('of one that has seen an event, or of another step, does not care for deliveries', () => {
    expect(reduce(allDone, { type: 'webhookSeen' }, at(5))).toEqual(allDone);
    const state = upTo('roles');
    expect(reduce(state, { type: 'webhookSeen' }, at(5))).toEqual(state);
  });
});

describe('a webhook that a person makes by hand', () => {
  const missing: StepResult = { kind: 'needs_you', problem: problem('webhook_missing', { url: 'u' }), evidence: [] };
  const asks = tryIt(upTo('webhook'), missing, 0);

  it('is looked at as soon as its test call came and Gladly has had time to save it', () => {
    expect(nextByItself(asks, TUNING)).toEqual({ event: 'timeToLook', at: at(TUNING.recheckMs) });
    const seen = reduce(asks, { type: 'webhookSeen' }, at(5));
    expect(nextMove(seen)).toEqual({ move: 'wait' });
    expect(nextByItself(seen, TUNING)).toEqual({ event: 'timeToLook', at: at(5 + 2_000) });
  });
});

describe('any sequence of events', () => {
  const result = fc.constantFrom(done, rejected, trouble);
  const event: fc.Arbitrary<OnboardingEvent> = fc.oneof(
    fc.record({ type: fc.constant('credentialsSubmitted' as const), version: fc.integer({ min: 1, max: 4 }) }),
    fc.record({
      type: fc.constantFrom('recheck', 'webhookSeen', 'timeToLook', 'timeToRemind', 'unknownSignal' as const),
    }),
    fc.record({
      type: fc.constant('webhookSetupChosen' as const),
      setup: fc.constantFrom('by_hand' as const, 'create_for_me' as const),
    }),
    fc.record({ type: fc.constant('stepBegun' as const), step: fc.constantFrom(...STEPS) }),
    fc.record({
      type: fc.constant('stepTried' as const),
      step: fc.constantFrom(...STEPS),
      result,
      credentialsVersion: fc.integer({ min: 0, max: 4 }),
      webhookSetup: fc.constantFrom('by_hand' as const, 'create_for_me' as const),
      nextTryMs: fc.constantFrom(null, 1_000),
    }),
    fc.record({
      type: fc.constant('cancel' as const),
      by: fc.constant('ann'),
      reason: fc.constant('why'),
      discardWaitingEvents: fc.boolean(),
    }),
    fc.constant({ type: 'cancelBegun' as const }),
    fc.record({ type: fc.constant('tracesRemoved' as const), result, nextTryMs: fc.constantFrom(null, 1_000) }),
  );

  it('leaves a state that can be carried, shown and gone on from', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        let state = FRESH;
        for (const [n, it] of events.entries()) {
          const before = state;
          state = reduce(state, it, at(n));
          expect(JSON.parse(JSON.stringify(state))).toEqual(state);
          expect(state.steps.map((step) => step.name)).toEqual([...STEPS]);
          expect(state.credentialsVersion).toBeGreaterThanOrEqual(before.credentialsVersion);
          if (before.cancel) expect(state.cancel).not.toBeNull();
          if (state.state === 'done') expect(currentStep(state)).toBeNull();
          for (const step of state.steps) expect(step.stuckSince === null).toBe(step.problem === null);
          expect(currentDetails(state)).not.toBe('');
          const move = nextMove(state);
          if (move.move === 'try' && state.state !== 'done') expect(move.step).toBe(currentStep(state));
        }
      }),
    );
  });
});

describe('what another release carried', () => {
  const connected = (() => {
    let state = reduce(FRESH, { type: 'stepBegun', step: 'provision' }, at(0));
    state = reduce(state, triedNow(state, 'provision', done), at(0));
    state = reduce(state, { type: 'credentialsSubmitted', version: 1 }, at(1));
    while (state.state !== 'done') state = tryIt(state, done, 2);
    return state;
  })();
  const read = (carried: object) =>
    initialState({ ...INPUT, carried: JSON.parse(JSON.stringify({ ...connected, ...carried })) }, at(9));

  it('without a step that there is now: the step is tried', () => {
    const state = read({ steps: connected.steps.filter(({ name }) => name !== 'roles') });
    expect(state).toMatchObject({ state: 'in_progress', since: at(9) });
    expect(nextMove(state)).toEqual({ move: 'try', step: 'roles' });
    expect(tryIt(state, done, 10)).toMatchObject({ state: 'done' });
  });

  it('with a step that is not known yet, or not any more: only the others count', () => {
    const steps = [...connected.steps, { ...connected.steps[0], name: 'limits', state: 'retrying' }];
    const state = read({ steps, state: 'in_progress' });
    expect(state.steps.map(({ name }) => name)).toEqual([...STEPS]);
    expect(state).toMatchObject({ state: 'done' });
    expect(nextMove(state)).toEqual({ move: 'wait' });
  });

  it('with more or less of a step: the rest has its first value', () => {
    const steps = connected.steps.map(({ notices: _, ...step }) => ({ ...step, mood: 'fine' }));
    const state = reduce(read({ steps, mood: 'fine' }), { type: 'webhookSeen' }, at(10));
    expect(state).toMatchObject({ state: 'done', mood: 'fine' });
    expect(stepOf(state, 'proof')).toMatchObject({ notices: [], mood: 'fine' });
  });
});
