import type { Locator, Page } from 'playwright-core';

/** A Gladly administrator at the connect page: what such a person reads and presses. */
export interface Customer {
  readonly page: Page;
  open(connectUrl: string): Promise<void>;
  /** Fills in step 2 and sends it. What is left out stays as it is. */
  enter(given: { readonly domain?: string; readonly email?: string; readonly apiToken?: string }): Promise<void>;
  press(name: string | RegExp): Promise<void>;
  /** The line of one check: `domain`, `token`, `roles`, `webhook`, `proof`. */
  check(step: string): Locator;
  /** Waits until that check has come out so; its step may be folded away by then. */
  comesOut(step: string, look: 'done' | 'wrong' | 'now'): Promise<void>;
  /** The sentence at the top that says where things stand. */
  standing(): Promise<string>;
  connected(): Promise<void>;
}

export function customerAt(page: Page): Customer {
  const check = (step: string): Locator => page.locator(`#check-${step}`);
  return {
    page,
    check,
    open: async (connectUrl) => void (await page.goto(connectUrl)),
    async enter({ domain, email, apiToken }) {
      if (domain !== undefined) await page.getByLabel('Gladly domain').fill(domain);
      if (email !== undefined) await page.getByLabel('Email address of the user').fill(email);
      if (apiToken !== undefined) await page.getByLabel('API token', { exact: true }).fill(apiToken);
      await page.getByRole('button', { name: 'Check and save' }).click();
    },
    press: async (name) => await page.getByRole('button', { name }).first().click(),
    comesOut: async (step, look) => await page.locator(`#check-${step}.${look}`).waitFor({ state: 'attached' }),
    standing: async () => await textOf(page.locator('#now')),
    connected: async () => await page.locator('#connected').waitFor(),
  };
}

/** What is written there. */
export const textOf = async (element: Locator): Promise<string> => ((await element.textContent()) ?? '').trim();
