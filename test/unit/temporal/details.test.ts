import { describe, expect, it } from 'vitest';
import type { ExtractionInput, ExtractionTuning } from '../../../src/contracts/extraction.ts';
import { problem } from '../../../src/contracts/problems.ts';
import { currentDetails } from '../../../src/workflows/extraction/details.ts';
import {
  type ExtractionEvent,
  type ExtractionState,
  initialState,
  nextMove,
  reduce,
} from '../../../src/workflows/extraction/reducer.ts';

const tuning: ExtractionTuning = {
  parkedLookMs: 6 * 3_600_000,
  gladlyWaitMs: 5_000,
  gladlyWaitMaxMs: 60_000,
  attentionLookMs: 900_000,
  continueAsNewAfter: 2_000,
};
const input: ExtractionInput = { version: 1, tenantId: 'acme', tuning };
const T = '2026-01-01T00:00:00.000Z';
const counts = { takenIn: 12, extracted: 9, gone: 1, rejected: 0, calls: 4 };
const STARTED: ExtractionEvent = { type: 'drainStarted', mode: 'full' };
const PAUSE: ExtractionEvent = { type: 'pause', by: 'ann', reason: 'moving house' };
const ended = (kind: 'parked' | 'stopped'): ExtractionEvent => ({
  type: 'drainEnded',
  result: { end: kind === 'parked' ? { kind, lookAgainMs: null } : { kind }, counts },
});

const having = (...events: ExtractionEvent[]): ExtractionState =>
  events.reduce((state, event) => reduce(state, event, T), initialState(input, T));
const report = (state: ExtractionState, waiting: number | null = null, consoleUrl: string | null = null): string =>
  currentDetails(state, { next: nextMove(state, tuning), now: T, waiting, consoleUrl });

describe('current details', () => {
  it('say that it runs, since when, and what comes next', () => {
    const text = report(having(STARTED));
    expect(text).toContain('### Running\n');
    expect(text).toContain('Since 2026-01-01 00:00:00 UTC');
    expect(text).toContain('**Next:** it goes on until nothing is left.');
  });

  it('say when a parked one looks again', () => {
    const text = report(having(STARTED, ended('parked')));
    expect(text).toContain('### Running, with nothing to do');
    expect(text).toContain('or else at 2026-01-01 06:00:00 UTC');
    expect(text).toContain('12 events taken in, 9 extracted, 1 gone, 0 rejected, in 1 drain');
  });

  it('say who paused it, when, why, what waits, and how it goes on', () => {
    expect(report(having(STARTED, PAUSE))).toContain('### Pausing');
    const text = report(having(STARTED, PAUSE, ended('stopped')), 1, 'https://idiomatic.example/console/tenants/acme');
    expect(text).toContain('### Paused');
    expect(text).toContain('**Paused by:** ann, 2026-01-01 00:00:00 UTC');
    expect(text).toContain('**Why:** moving house');
    expect(text).toContain('**Waiting:** 1 event in the ledger when it last looked; what has come since waits in SQS');
    expect(text).toContain('somebody sends the signal resume');
    expect(text).toContain('[Open this tenant in the console](https://idiomatic.example/console/tenants/acme)');
  });

  it('say that events are taken into safety while paused', () => {
    const archiving = having(PAUSE, { type: 'archive' }, { type: 'drainStarted', mode: 'take_in_only' });
    expect(report(archiving)).toContain('it takes events out of SQS into the ledger, where none expires.');
  });

  it('say what is in the way, what to do, and when it tries again', () => {
    const token = problem('token_rejected', { domain: 'acme.gladly.com' });
    const stuck = having(STARTED, {
      type: 'drainEnded',
      result: { end: { kind: 'needs_attention', problem: token }, counts },
    });
    const text = report(stuck);
    expect(text).toContain('### Needs attention');
    expect(text).toContain(
      '**Problem:** Gladly does not accept the email address and API token for acme.gladly.com. (since 2026-01-01 00:00:00 UTC)',
    );
    expect(text).toContain('**To do:** Check that the email address');
    expect(text).toContain('by itself at 2026-01-01 00:15:00 UTC');
    expect(report(reduce(stuck, STARTED, T))).toContain('**Next:** it is trying again right now.');
  });

  it('say that only time is needed while Gladly is out', () => {
    const outage = problem('gladly_timeout', { domain: 'acme.gladly.com', seconds: 15 });
    const waiting = having(STARTED, {
      type: 'drainEnded',
      result: { end: { kind: 'waiting_for_gladly', problem: outage }, counts },
    });
    expect(report(waiting)).toContain('### Waiting for Gladly');
    expect(report(waiting)).toContain('nobody needs to do anything');
    expect(report(waiting)).toContain('by itself at 2026-01-01 00:00:05 UTC');
  });

  it('warn of what would be lost', () => {
    const expire = problem('events_expire', { percent: 80, at: '2026-01-03T00:00:00Z' });
    const text = report(having(PAUSE, { type: 'warn', problem: expire }));
    expect(text).toContain('**Warning:** The oldest event that waits has used up 80 %');
  });

  it('keep what a person typed from being markup', () => {
    const nasty = '<img src=x>\n# big [click](https://evil.example) **bold** `code` |table|';
    const text = report(having({ type: 'pause', by: nasty, reason: nasty }, { type: 'unknownSignal', name: nasty }));
    expect(text).not.toMatch(/<img|\n# |\]\(https:\/\/evil|\*\*bold|`|\|/);
    expect(text.split('\n').filter((line) => line.startsWith('- **Why:**'))).toHaveLength(1);
  });

  it('have a line for every state without a gap in it', () => {
    const states = [
      having(),
      having(STARTED),
      having(STARTED, ended('parked')),
      having(PAUSE),
      having({ type: 'disconnect', by: 'ann', reason: 'left' }),
    ];
    for (const state of states) expect(report(state, 0)).not.toMatch(/undefined|null|NaN|Invalid|\{\w+\}/);
  });
});
