import { expect, test } from 'vitest';
import { asApiError } from '../../../src/api/http/known-errors.ts';
import { StoreError } from '../../../src/store/errors.ts';

test.each([
  ['22021', false, 422, 'invalid_request'],
  ['22P05', false, 422, 'invalid_request'],
  ['54000', false, 422, 'invalid_request'],
  ['23514', false, 500, 'internal_error'],
  ['42P01', false, 500, 'internal_error'],
  ['25006', true, 503, 'store_unavailable'],
  ['57P01', true, 503, 'store_unavailable'],
  ['query_timeout', true, 503, 'store_unavailable'],
])('an error of Postgres with the code %s', (code, transient, status, told) => {
  const error = asApiError(new StoreError({ code, transient }));
  expect([error.status, error.code]).toEqual([status, told]);
});
