import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { histogramOf, percentile } from '../../../src/store/histogram.ts';
import { jsonbText, storableText, storableTime } from '../../../src/store/values.ts';
import { describeStore } from '../../support/store/store-suite.ts';

const anyText = fc.string({
  unit: fc.oneof(
    fc.constantFrom('\0', '\ud83d', '\udc00', '\\', 'u0000', '"', '{', ',', 'NULL'),
    fc.string({ unit: 'binary' }),
  ),
});
const mended = (text: string): string => text.toWellFormed().replaceAll('\0', '\ufffd');

describeStore('values', (store) => {
  it('come back from jsonb and text as they were, but for NUL and half pairs', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyText, { maxLength: 5 }), async (texts) => {
        const { rows } = await store.db.query('SELECT $1::jsonb AS json, $2::text[] AS texts', [
          jsonbText(texts),
          texts.map((text) => storableText(text)),
        ]);
        expect(rows).toEqual([{ json: texts.map(mended), texts: texts.map(mended) }]);
      }),
      { numRuns: 200 },
    );
  });

  it('are times that Postgres takes, whatever the text', async () => {
    const odd = [
      '2024-02-30T00:00:00Z',
      '2026-01-05',
      '9999-12-31T23:59:59.999999999Z',
      '+010000-01-01T00:00:00Z',
      '-000001-01-01T00:00:00Z',
      '2026-01-05T09:00:00.1234+05:30',
      'today',
      '',
    ];
    const { rows } = await store.db.query<{ t: Date | null }>('SELECT unnest($1::timestamptz[]) AS t', [
      odd.map((text) => storableTime(text)),
    ]);
    expect(rows.map(({ t }) => t?.toISOString() ?? null)).toEqual([
      '2024-03-01T00:00:00.000Z',
      '2026-01-05T00:00:00.000Z',
      '9999-12-31T23:59:59.999Z',
      null,
      null,
      '2026-01-05T03:30:00.123Z',
      null,
      null,
    ]);
  });
});

describe('storableTime', () => {
  it('keeps microseconds and drops what is finer', () => {
    expect(storableTime('2026-01-05T09:00:00.123456789Z')).toBe('2026-01-05T09:00:00.123456Z');
    expect(storableTime('2026-01-05T09:00:00.1Z')).toBe('2026-01-05T09:00:00.100Z');
    expect(storableTime(new Date(0))).toBe('1970-01-01T00:00:00.000Z');
    expect(storableTime(null)).toBeNull();
  });
});

describe('percentile', () => {
  it('is never too low, and at most 41 % too high', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 10, max: 14 * 86_400_000 }), { minLength: 1 }),
        fc.constantFrom(0.5, 0.99, 1),
        (durations, share) => {
          const exact = durations.toSorted((a, b) => a - b)[Math.ceil(durations.length * share) - 1] ?? 0;
          const found = percentile(histogramOf(durations), share) ?? 0;
          expect(found).toBeGreaterThanOrEqual(exact - 1);
          expect(found).toBeLessThanOrEqual(exact * 1.4143 + 1);
        },
      ),
    );
    expect(percentile([], 0.5)).toBeNull();
  });
});
