import { describe, expect, test } from 'vitest';
import { type Look, misledBy, type Span } from '../../../chaos/hostile/misled.ts';

const LOOK_S = 2;

/** Looks every two seconds from `from` to `to`, in seconds. */
function looks(from: number, to: number, saw: Partial<Look> = {}): readonly Look[] {
  const nothing = { tenant: 'a', named: [], excused: false, standing: [], oldest: null };
  return Array.from({ length: Math.floor((to - from) / LOOK_S) + 1 }, (_, n) => ({
    ...nothing,
    ...saw,
    atMs: (from + n * LOOK_S) * 1_000,
  }));
}

const span = (from: number, to: number | null, code: string, tenant: string | null = 'a'): Span => ({
  fromMs: from * 1_000,
  toMs: to === null ? null : to * 1_000,
  tenant,
  explains: (named) => named === code,
});

const count = (seen: readonly Look[], spans: readonly Span[] = []): number => misledBy(seen, spans).length;

describe('an event that waits, and nothing is named', () => {
  test('misleads from the second minute on, at each look', () => {
    expect(count(looks(0, 118, { oldest: 'e' }))).toBe(0);
    expect(count(looks(0, 120, { oldest: 'e' }))).toBe(1);
    expect(count(looks(0, 130, { oldest: 'e' }))).toBe(6);
    expect(misledBy(looks(0, 120, { oldest: 'e' }), [])).toEqual([
      { atMs: 120_000, tenant: 'a', why: 'nothing named, and e has not moved for 120 s' },
    ]);
  });

  test('does not when something is named, or it is said to be paused or not known', () => {
    const seen = looks(0, 300, { oldest: 'e', named: ['token_rejected'] });
    expect(count(seen, [span(0, null, 'token_rejected')])).toBe(0);
    expect(count(looks(0, 300, { oldest: 'e', excused: true }))).toBe(0);
  });

  test('does not while the oldest is another each time, however much waits', () => {
    const moving = Array.from({ length: 10 }, (_, n) => looks(n * 60, n * 60 + 58, { oldest: `e${n}` })).flat();
    expect(count(moving)).toBe(0);
  });

  test('has begun anew when it was done in between', () => {
    const seen = [...looks(0, 100, { oldest: 'e' }), ...looks(102, 102), ...looks(104, 200, { oldest: 'e' })];
    expect(count(seen)).toBe(0);
  });

  test('is counted for each tenant by itself', () => {
    const both = [...looks(0, 120, { oldest: 'e' }), ...looks(0, 120, { oldest: 'e', tenant: 'b' })];
    expect(misledBy(both, []).map(({ tenant }) => tenant)).toEqual(['a', 'b']);
    const taken = looks(0, 300, { oldest: 'e' }).map((look, n) => ({
      ...look,
      tenant: n % 2 === 0 ? 'a' : 'b',
      oldest: `${n % 2}`,
    }));
    expect(new Set(misledBy(taken, []).map(({ tenant }) => tenant))).toEqual(new Set(['a', 'b']));
  });
});

describe('something that is named', () => {
  const named = { named: ['token_rejected'] };

  test('misleads a minute after its trouble is over, at each look', () => {
    expect(count(looks(10, 88, named), [span(0, 30, 'token_rejected')])).toBe(0);
    expect(count(looks(10, 90, named), [span(0, 30, 'token_rejected')])).toBe(1);
    expect(count(looks(10, 100, named), [span(0, 30, 'token_rejected')])).toBe(6);
    expect(misledBy(looks(90, 90, named), [span(0, 30, 'token_rejected')])).toEqual([
      { atMs: 90_000, tenant: 'a', why: 'token_rejected is named, and is over' },
    ]);
  });

  test('does not while its trouble lasts, whoever’s it is', () => {
    expect(count(looks(0, 300, named), [span(0, null, 'token_rejected')])).toBe(0);
    expect(count(looks(0, 300, named), [span(0, null, 'token_rejected', null)])).toBe(0);
  });

  test('is not explained by other trouble, another tenant’s, or what comes later', () => {
    const seen = looks(0, 100, named);
    expect(count(seen, [span(0, null, 'queue_missing')])).toBe(seen.length);
    expect(count(seen, [span(0, null, 'token_rejected', 'b')])).toBe(seen.length);
    expect(count(looks(0, 98, named), [span(100, 200, 'token_rejected')])).toBe(50);
  });

  test('does not while it is there, and for a minute after', () => {
    const dead = { named: ['dead_letters_waiting'] };
    expect(count(looks(0, 300, { ...dead, standing: ['dead_letters_waiting'] }))).toBe(0);
    const gone = [...looks(0, 30, { ...dead, standing: ['dead_letters_waiting'] }), ...looks(32, 90, dead)];
    expect(count(gone)).toBe(1);
    const late = [...looks(0, 30, { standing: ['dead_letters_waiting'] }), ...looks(32, 88, dead)];
    expect(count(late)).toBe(0);
  });

  test('explains itself while the oldest waiting event stands still', () => {
    const seen = [...looks(0, 58, { oldest: 'e' }), ...looks(60, 300, { oldest: 'e', named: ['events_stalled'] })];
    expect(count(seen)).toBe(0);
    const over = [...seen, ...looks(302, 360, { named: ['events_stalled'] })];
    expect(count(over)).toBe(1);
  });
});
