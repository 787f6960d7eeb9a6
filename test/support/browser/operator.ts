import type { Page } from 'playwright-core';
import { call } from '../onboarding/gladly.ts';

/** Keys of the console's tests: ann may do everything, vic may only look. */
export const KEYS = { ann: 'a'.repeat(36), vic: 'v'.repeat(36) } as const;
export const OPERATOR_KEYS = `ann:${KEYS.ann},vic:viewer:${KEYS.vic}`;

/** Our API as ann. Throws when the answer is no 2XX. */
export const asAnn = (url: string, method: string, path: string, body?: unknown): Promise<unknown> =>
  call(`${url}${path}`, method, body, { authorization: `Bearer ${KEYS.ann}` });

/** Signs in, and waits for the list of tenants. */
export async function signIn(page: Page, url: string, key: string = KEYS.ann): Promise<void> {
  await page.goto(`${url}/console`);
  await page.getByLabel('Operator key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Tenants', level: 1 }).waitFor();
}

/** As if twelve hours had gone by. */
export const endSession = (page: Page): Promise<void> => page.context().clearCookies();
