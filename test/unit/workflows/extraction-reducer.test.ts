import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DrainEnd, DrainResult, ExtractionInput, ExtractionTuning } from '../../../src/contracts/extraction.ts';
import { problem } from '../../../src/contracts/problems.ts';
import {
  carry,
  type ExtractionEvent,
  type ExtractionState,
  initialState,
  nextMove,
  reduce,
  shouldStop,
} from '../../../src/workflows/extraction/reducer.ts';

const tuning: ExtractionTuning = {
  parkedLookMs: 1_000_000,
  gladlyWaitMs: 1_000,
  gladlyWaitMaxMs: 8_000,
  attentionLookMs: 900_000,
  continueAsNewAfter: 1_000,
};
const input: ExtractionInput = { version: 1, tenantId: 'acme', tuning };
const T = '2026-01-01T00:00:00.000Z';
const at = (seconds: number) => new Date(Date.parse(T) + seconds * 1_000).toISOString();
const counts = { takenIn: 5, extracted: 4, gone: 1, rejected: 0, calls: 2 };
const ended = (end: DrainEnd): ExtractionEvent => ({ type: 'drainEnded', result: { end, counts } });
const PARKED = ended({ kind: 'parked', lookAgainMs: null });
const STARTED: ExtractionEvent = { type: 'drainStarted', mode: 'full' };
const PAUSE: ExtractionEvent = { type: 'pause', by: 'ann', reason: 'moving' };
const RESUME: ExtractionEvent = { type: 'resume', by: 'ann', reason: '' };

const having = (...events: ExtractionEvent[]): ExtractionState =>
  events.reduce((state, event, i) => reduce(state, event, at(i + 1)), initialState(input, T));

describe('an extraction', () => {
  it('drains at once, and parks when nothing is left', () => {
    expect(nextMove(having(), tuning)).toEqual({ move: 'drain', mode: 'full', probe: false });
    const parked = having(STARTED, PARKED);
    expect(parked).toMatchObject({ phase: 'parked', since: at(0), totals: counts, drains: 1 });
    expect(nextMove(parked, tuning)).toMatchObject({ move: 'wait', forMs: tuning.parkedLookMs });
  });

  it('looks again as early as the drain asked', () => {
    const parked = having(STARTED, ended({ kind: 'parked', lookAgainMs: 2_500 }));
    expect(nextMove(parked, tuning)).toMatchObject({ move: 'wait', forMs: 2_500 });
    expect(nextMove(reduce(parked, { type: 'timeToLook' }, T), tuning)).toMatchObject({ move: 'drain' });
  });

  it('drains again when woken, even while a drain is at work', () => {
    expect(nextMove(having(STARTED, PARKED, { type: 'wake' }), tuning).move).toBe('drain');
    expect(nextMove(having(STARTED, { type: 'wake' }, PARKED), tuning).move).toBe('drain');
  });

  it('is pausing until the drain has ended, and then paused', () => {
    const pausing = having(STARTED, PAUSE);
    expect(pausing.phase).toBe('pausing');
    expect(shouldStop(pausing)).toBe(true);
    const paused = reduce(pausing, ended({ kind: 'stopped' }), at(3));
    expect(paused).toMatchObject({ phase: 'paused', since: at(3), pause: { by: 'ann', reason: 'moving', at: at(2) } });
    expect(nextMove(paused, tuning)).toMatchObject({ move: 'wait', forMs: null });
    expect(nextMove(reduce(paused, { type: 'wake' }, at(4)), tuning).move).toBe('wait');
    expect(nextMove(reduce(paused, RESUME, at(4)), tuning)).toMatchObject({ move: 'drain', mode: 'full' });
  });

  it('keeps the first pause: who and why do not change by asking twice', () => {
    const once = having(STARTED, PARKED, PAUSE);
    expect(reduce(once, { type: 'pause', by: 'bob', reason: 'me too' }, at(9))).toBe(once);
  });

  it('may start paused', () => {
    const state = initialState({ ...input, pause: { by: 'ann', reason: 'not yet' } }, T);
    expect(state.phase).toBe('paused');
    expect(nextMove(state, tuning).move).toBe('wait');
  });

  it('waits longer for a Gladly that stays away, and probes it', () => {
    const away = ended({ kind: 'waiting_for_gladly', problem: problem('gladly_server_error', { status: 500 }) });
    let state = having(STARTED, away);
    const waits: (number | null)[] = [];
    for (let i = 0; i < 5; i += 1) {
      expect(state.phase).toBe('waiting_for_gladly');
      const next = nextMove(state, tuning);
      if (next.move === 'wait') waits.push(next.forMs);
      state = reduce(state, { type: 'timeToLook' }, at(20 + i));
      expect(nextMove(state, tuning)).toEqual({ move: 'drain', mode: 'full', probe: true });
      state = reduce(reduce(state, STARTED, at(30 + i)), away, at(31 + i));
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 8_000]);
    expect(state.problem?.since).toBe(at(2));
    expect(reduce(reduce(state, STARTED, at(50)), PARKED, at(51))).toMatchObject({ phase: 'parked', problem: null });
  });

  it('asks a person for what only a person can mend, and looks again by itself', () => {
    const rejected = ended({
      kind: 'needs_attention',
      problem: problem('token_rejected', { domain: 'acme.gladly.com' }),
    });
    const state = having(STARTED, rejected);
    expect(state.phase).toBe('needs_attention');
    expect(nextMove(state, tuning)).toMatchObject({ move: 'wait', forMs: tuning.attentionLookMs });
    expect(nextMove(reduce(state, { type: 'wake' }, at(9)), tuning).move).toBe('wait');
    expect(nextMove(reduce(state, { type: 'credentialsChanged' }, at(9)), tuning).move).toBe('drain');
  });

  it('archives while paused: takes in, and stays paused', () => {
    const archiving = having(STARTED, PARKED, PAUSE, { type: 'archive' });
    expect(nextMove(archiving, tuning)).toEqual({ move: 'drain', mode: 'take_in_only', probe: false });
    const draining = reduce(archiving, { type: 'drainStarted', mode: 'take_in_only' }, at(9));
    expect(draining.phase).toBe('paused');
    expect(shouldStop(draining)).toBe(false);
    expect(shouldStop(reduce(draining, RESUME, at(10)))).toBe(true);
    expect(nextMove(reduce(draining, PARKED, at(11)), tuning).move).toBe('wait');
  });

  it('ends when disconnected, whatever it is at', () => {
    const gone = having(STARTED, { type: 'disconnect', by: 'ann', reason: 'left us' });
    expect(gone.phase).toBe('disconnected');
    expect(shouldStop(gone)).toBe(true);
    expect(nextMove(gone, tuning)).toEqual({ move: 'end' });
  });

  it('counts what nobody knows', () => {
    const state = having({ type: 'unknownSignal', name: 'Pause' }, { type: 'unknownSignal', name: 'stop' });
    expect(state).toMatchObject({ unknownSignals: 2, lastUnknownSignal: 'stop' });
  });
});

const anEnd = fc.constantFrom<DrainEnd>(
  { kind: 'parked', lookAgainMs: null },
  { kind: 'parked', lookAgainMs: 100 },
  { kind: 'budget_spent' },
  { kind: 'stopped' },
  { kind: 'waiting_for_gladly', problem: problem('gladly_server_error', { status: 503 }) },
  { kind: 'needs_attention', problem: problem('token_rejected', { domain: 'acme.gladly.com' }) },
);
const aSignal = fc.constantFrom<ExtractionEvent>(
  PAUSE,
  RESUME,
  { type: 'wake' },
  { type: 'credentialsChanged' },
  { type: 'archive' },
  { type: 'timeToLook' },
);
type Step = { readonly signal: ExtractionEvent } | { readonly end: DrainEnd };
const aStep: fc.Arbitrary<Step> = fc.oneof(
  aSignal.map((signal) => ({ signal })),
  anEnd.map((end) => ({ end })),
);

/** Plays signals and drain ends as the workflow would: a drain starts when the reducer says so and ends when it is told. */
function play(steps: readonly Step[]): ExtractionState[] {
  let state = initialState(input, T);
  const seen = [state];
  const on = (event: ExtractionEvent, i: number) => {
    state = reduce(state, event, at(i));
    seen.push(state);
  };
  steps.forEach((step, i) => {
    const next = nextMove(state, tuning);
    if (state.draining === null && next.move === 'drain') on({ type: 'drainStarted', mode: next.mode }, i);
    if ('signal' in step) on(step.signal, i);
    else if (state.draining !== null)
      on({ type: 'drainEnded', result: { end: step.end, counts } satisfies DrainResult }, i);
  });
  return seen;
}

describe('in any order of signals and drains', () => {
  it('a pause holds until a resume, and nothing of Gladly is asked after `paused`', () => {
    fc.assert(
      fc.property(fc.array(aStep, { maxLength: 40 }), (steps) => {
        for (const state of play(steps)) {
          expect(state.pause !== null).toBe(state.phase === 'paused' || state.phase === 'pausing');
          if (state.phase === 'paused') expect(state.draining).not.toBe('full');
          if (state.phase === 'paused' && state.draining === null) {
            expect(nextMove(state, tuning)).not.toMatchObject({ mode: 'full' });
          }
        }
      }),
    );
  });

  it('the last of pause and resume decides', () => {
    fc.assert(
      fc.property(fc.array(aStep, { maxLength: 40 }), (steps) => {
        const last = steps.filter((step) => 'signal' in step && ['pause', 'resume'].includes(step.signal.type)).at(-1);
        const paused = last !== undefined && 'signal' in last && last.signal.type === 'pause';
        expect(play(steps).at(-1)?.pause !== null).toBe(paused);
      }),
    );
  });

  it('the same signal twice is as good as once', () => {
    fc.assert(
      fc.property(fc.array(aStep, { maxLength: 30 }), aSignal, (steps, signal) => {
        const state = play(steps).at(-1);
        if (!state) return;
        const once = reduce(state, signal, at(99));
        expect(reduce(once, signal, at(99))).toEqual(once);
      }),
    );
  });

  it('a wake is never forgotten: unpaused and without a problem, a drain follows', () => {
    fc.assert(
      fc.property(fc.array(aStep, { maxLength: 30 }), (steps) => {
        const state = play([...steps, { signal: { type: 'wake' } }]).at(-1);
        if (!state || state.pause || state.problem || state.draining) return;
        expect(nextMove(state, tuning)).toMatchObject({ move: 'drain', mode: 'full' });
      }),
    );
  });

  it('is carried over continue-as-new as it was, through the payload converter', () => {
    fc.assert(
      fc.property(fc.array(aStep, { maxLength: 30 }), (steps) => {
        const state = play(steps).at(-1);
        if (!state || state.draining) return;
        const carried = JSON.parse(JSON.stringify(carry(state)));
        expect(initialState({ ...input, carried }, at(99))).toEqual(state);
      }),
    );
  });

  it('is read over the first values, and what another release carries besides is handed on', () => {
    const before = play([{ signal: { type: 'wake' } }]).at(-1);
    if (!before) throw new Error('There is no state.');
    const { totals, drains: _, ...others } = carry(before);
    const { rejected: __, ...fewer } = { ...totals, takenIn: 7 };
    const carried = JSON.parse(JSON.stringify({ ...others, totals: { ...fewer, postponed: 5 }, mood: 'fine' }));
    const read = reduce(
      reduce(initialState({ ...input, carried }, at(99)), { type: 'drainStarted', mode: 'full' }, at(100)),
      {
        type: 'drainEnded',
        result: {
          end: { kind: 'stopped' },
          counts: { takenIn: 1, extracted: 0, gone: 0, rejected: 2, calls: 0 },
        },
      },
      at(101),
    );
    expect(carry(read)).toMatchObject({
      mood: 'fine',
      drains: 1,
      totals: { takenIn: 8, rejected: 2, postponed: 5 },
    });
  });
});
