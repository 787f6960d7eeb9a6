import { expect, it } from 'vitest';
import { asApiError } from '../../../src/api/http/known-errors.ts';
import { StoreError } from '../../../src/store/errors.ts';

it.each([
  ['ECONNREFUSED', true, 'store_unavailable'],
  ['53300', true, 'store_unavailable'],
  ['57P03', true, 'store_unavailable'],
  ['25006', true, 'store_unavailable'],
  ['22P05', false, 'internal_error'],
  ['22021', false, 'internal_error'],
  ['23514', false, 'internal_error'],
  ['42P01', false, 'internal_error'],
  ['54000', false, 'internal_error'],
])('a StoreError %s is told as what it is', (code, transient, told) => {
  expect(asApiError(new StoreError({ code, transient })).code).toBe(told);
});
