import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { customerAt } from './customer.ts';
import { newReader, type ReaderOptions } from './reader.ts';

export interface PictureOptions {
  readonly browser: Browser;
  /** Where the pictures go: PNG files whose names begin with `connect-`. */
  readonly folder: string;
  /** Makes a tenant and tells its connect link. */
  readonly newLink: () => Promise<string>;
  /** Of the simulated Gladly. */
  readonly domain: string;
  readonly email: string;
  readonly apiToken: string;
}

/** The connect page as the docs show it: each state on a large light screen, and the whole way on a small dark one. */
export async function takeConnectPictures(options: PictureOptions): Promise<void> {
  await mkdir(options.folder, { recursive: true });
  await walk(options, '', { width: 1440 });
  await walk(options, '-small-dark', { width: 390, scheme: 'dark' });
}

async function walk(options: PictureOptions, suffix: string, reading: ReaderOptions): Promise<void> {
  const { browser, folder, newLink, domain, email, apiToken } = options;
  const { page, close } = await newReader(browser, reading);
  const customer = customerAt(page);
  const take = async (name: string): Promise<void> => {
    await page.screenshot({ path: join(folder, `connect-${name}${suffix}.png`), fullPage: true });
  };

  await customer.open(`${await newLink()}x`);
  await take('dead-link');
  await customer.open(await newLink());
  await page.getByLabel('Gladly domain').pressSequentially(domain);
  await page.getByText('We understood').waitFor();
  await take('begin');
  await customer.enter({ email, apiToken: 'a-token-that-was-mistyped' });
  await customer.comesOut('token', 'wrong');
  await take('wrong-token');
  await customer.enter({ email, apiToken });
  await customer.comesOut('roles', 'done');
  await page.getByText('What is left is the webhook.').waitFor();
  await page.getByText('By hand: the fields, ready to copy').click();
  await take('webhook-by-hand');
  await page.getByRole('button', { name: 'Make a new key' }).click();
  await page.locator('#value-key').waitFor();
  // A picture in the docs shows how it looks and opens nothing.
  await page.evaluate(
    `document.getElementById('value-key').textContent = 'EXAMPLE-KEY-shown-once-0123456789-abcdefghi'`,
  );
  await page.locator('#webhook-key').scrollIntoViewIfNeeded();
  await page.screenshot({ path: join(folder, `connect-new-key${suffix}.png`) });
  await customer.press('Create it for me');
  await customer.connected();
  await page.getByText('The first conversation has arrived.').waitFor();
  await take('connected');
  await close();
}
