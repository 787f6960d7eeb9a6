import { expect, it } from 'vitest';
import { describe as inWords } from '../../../src/activities/onboarding/evidence.ts';
import { GladlyError, type GladlyErrorDetail } from '../../../src/gladly/errors.ts';

const refused = (...details: GladlyErrorDetail[]): string =>
  inWords(
    new GladlyError(
      { kind: 'bad_request' },
      { host: 'acme.gladly.com', method: 'POST', path: '/api/v1/webhooks' },
      400,
      details,
    ),
  );

it('says which fields and codes Gladly refused', () => {
  expect(refused()).toBe('400 bad request');
  expect(refused({ attr: 'events[8]', code: 'invalid', detail: 'is not a valid event' })).toBe(
    '400 bad request: events[8] invalid',
  );
  expect(refused({ attr: 'content', code: 'blank' }, { code: 'taken' }, { attr: 'headers.name' })).toBe(
    '400 bad request: content blank, taken, headers.name',
  );
});

it.each([
  { attr: 'Ys7-Kq2Lw9_token-0aB3', code: 'the token Ys7 is wrong' },
  { attr: 'x'.repeat(41), code: 'x'.repeat(41) },
  { attr: 'a b', code: 'INVALID' },
  { detail: 'a customer’s words' },
])('and never what may be anything: %j', (detail) => {
  expect(refused(detail)).toBe('400 bad request');
});

it('five of them at most, and each once', () => {
  const codes = ['a', 'a', 'b', 'c', 'd', 'e', 'f'].map((code) => ({ code }));
  expect(refused(...codes)).toBe('400 bad request: a, b, c, d');
});
