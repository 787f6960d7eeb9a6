import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { problem, problemCodes, problemRemedy, problemSentence } from '../../../src/contracts/problems.ts';
import {
  asked,
  askedAt,
  cancelAsked,
  credentialsIn,
  extractionTuningIn,
  isWebhookSetup,
  problemIn,
} from '../../../src/workflows/shared/signal-input.ts';
import { extractionInput } from '../../support/extraction.ts';

const UNKNOWN = { by: 'somebody in Temporal', reason: 'no reason given' };
const NOW = '2026-06-01T00:00:00.000Z';
const json = fc.jsonValue();
/** Objects with the fields that are read, in which anything may stand. */
const almost = fc.record(
  {
    by: fc.oneof(fc.string(), json),
    reason: fc.oneof(fc.string(), json),
    discardWaitingEvents: fc.oneof(fc.boolean(), json),
    version: fc.oneof(fc.integer(), json),
    code: fc.oneof(fc.constantFrom(...problemCodes), json),
    params: fc.oneof(fc.dictionary(fc.constantFrom('percent', 'at', 'toString', '__proto__'), json), json),
    since: json,
  },
  { requiredKeys: [] },
);
const anything = fc.oneof(json, almost, fc.constant(undefined));

describe('the input of signals and updates', () => {
  it('can be anything: what is read from it can be shown and carried', () => {
    fc.assert(
      fc.property(anything, (given) => {
        const { by, reason, discardWaitingEvents } = cancelAsked(given);
        expect(asked(given)).toEqual({ by, reason });
        expect(typeof discardWaitingEvents).toBe('boolean');
        for (const text of [by, reason]) {
          expect(text.trim()).not.toBe('');
          expect(text.length).toBeLessThanOrEqual(500);
        }
        const found = problemIn(given);
        if (found) {
          expect(problemCodes).toContain(found.code);
          expect(Object.keys(found)).toEqual(['code', 'params']);
          expect(`${problemSentence(found)} ${problemRemedy(found)}`).not.toContain('[object');
        }
        if (isWebhookSetup(given)) expect(['create_for_me', 'by_hand']).toContain(given);
        const submitted = credentialsIn(given);
        if (submitted) expect(submitted.version > 0 && Number.isInteger(submitted.version)).toBe(true);
        expect(Date.parse(askedAt(given, NOW))).toBeLessThanOrEqual(Date.parse(NOW));
        expect(extractionTuningIn(given)).toBeNull();
      }),
      { numRuns: 2_000 },
    );
  });

  it('is taken as it was meant', () => {
    const request = { by: ' ann ', reason: 'moving', discardWaitingEvents: true };
    expect(cancelAsked(request)).toEqual({ by: 'ann', reason: 'moving', discardWaitingEvents: true });
    expect(asked({ by: 5, reason: '  ' })).toEqual(UNKNOWN);
    expect(asked({ by: 'a'.repeat(501) }).by).toHaveLength(500);
    expect(isWebhookSetup('by_hand')).toBe(true);
    expect(credentialsIn({ version: 1 })).toEqual({ version: 1 });
    expect(credentialsIn({ version: 2, setup: 'by_hand', by: 'ann' })).toEqual({ version: 2, setup: 'by_hand' });
    // No real version is as high, and all that come would be older.
    for (const version of [1_000_001, Number.MAX_SAFE_INTEGER]) expect(credentialsIn({ version })).toBeNull();
    const earlier = '2026-01-01T00:00:00.000Z';
    expect(askedAt({ at: earlier }, NOW)).toBe(earlier);
    for (const at of [NOW.replace('2026', '2027'), 'yesterday', 5, '-200000-01-01T00:00:00Z', '0000-01-01'])
      expect(askedAt({ at }, NOW)).toBe(NOW);
    const tuning = extractionInput('acme').tuning;
    expect(extractionTuningIn(tuning)).toEqual(tuning);
    for (const no of [0, -1, Number.NaN, '5', undefined, 1e300, Number.MAX_SAFE_INTEGER])
      expect(extractionTuningIn({ ...tuning, parkedLookMs: no })).toBeNull();
    expect(extractionTuningIn({ ...tuning, continueAsNewAfter: 1 })).toBeNull();
    expect(credentialsIn({ version: Number.MAX_SAFE_INTEGER })).toBeNull();
    const warning = problem('events_expire', { percent: 80, at: '2026-01-03T00:00:00Z' });
    expect(problemIn(warning)).toEqual(warning);
  });

  it.each([
    { code: 'nonsense', params: {} },
    { code: 'events_expire' },
    { code: ['events_expire'], params: {} },
    { code: { toString: 5 }, params: {} },
    { code: 'events_expire', params: { percent: { toString: 5, valueOf: 5 } } },
    { code: 'events_expire', params: { percent: 'a'.repeat(1_000) } },
  ])('is no problem: %j', (given) => {
    expect(problemIn(given)).toBeNull();
  });
});
