import { describe, expect, it } from 'vitest';
import { parseExactJson } from '../../../src/contracts/exact-json.ts';

describe('exact JSON', () => {
  it.each([
    '{"n":7615917337495251231,"y":0.12345678901234567890,"x":1e400}',
    '[12345678901234567890,-9007199254740993,1e-30]',
    '{"a":{"b":[1,2,{"c":123456789012345678901234567890}]},"d":"text, 12345678901234567890"}',
    '12345678901234567890',
  ])('%s is written again as it was', (text) => {
    expect(JSON.stringify(parseExactJson(text))).toBe(text);
  });

  it('finds a long number wherever it stands', () => {
    for (let before = 0; before < 40; before += 1) {
      const text = `[${'"x",'.repeat(before % 9)}${' '.repeat(before)}1234567890123456789]`;
      expect(JSON.stringify(parseExactJson(text))).toContain('1234567890123456789]');
    }
  });

  it('keeps what no column takes as a text', () => {
    expect(parseExactJson('{"huge":1e999999}')).toEqual({ huge: '1e999999' });
  });

  it('gives numbers for all others, beside exact ones too', () => {
    expect(parseExactJson('{"one":1,"half":0.5,"big":12345678901234567890}')).toMatchObject({ one: 1, half: 0.5 });
    expect(parseExactJson('{"id":"3e4","at":"2026-01-05T09:00:00.123456789Z"}')).toEqual({
      id: '3e4',
      at: '2026-01-05T09:00:00.123456789Z',
    });
  });

  it('throws as JSON.parse does', () => {
    expect(() => parseExactJson('{"n":12345678901234567890')).toThrow(SyntaxError);
  });
});
