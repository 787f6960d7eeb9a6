import type { Page } from 'playwright-core';
import type { Shots } from './shots.ts';

const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 390, height: 844 };

/** The console as docs/operators.md shows it: who needs a person, one tenant that is stuck, one that is paused with a backlog. */
export async function consolePictures({ world, browser, file }: Shots): Promise<void> {
  const tokenId = await world.connect('initech', 'Initech');
  await world.connect('umbra', 'Umbra Lights');
  await world.api('POST', '/v1/tenants', { tenantId: 'hooli', name: 'Hooli' });
  await world.api('POST', '/v1/tenants/umbra/pause', { reason: 'the customer moves their data until Monday' });
  await world.reaches('umbra', 'paused');
  await world.gladly('DELETE', `/simulator/tokens/${tokenId}`);
  await world.gladly('POST', '/simulator/emit', { count: 300, onlySubscribed: true });
  await world.reaches('initech', 'needs_attention');

  const page = await browser.newPage({ viewport: WIDE, colorScheme: 'light', timezoneId: 'UTC' });
  const take = (name: string, fullPage = false) => page.screenshot({ path: file(`console-${name}`), fullPage });
  const open = (path: string) => page.goto(`${world.apiUrl}/console${path}`);

  await open('');
  await page.getByLabel('Operator key').waitFor();
  await take('sign-in');
  await page.getByLabel('Operator key').fill(world.operatorKey);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('#row-initech', { hasText: 'Gladly does not accept' }).waitFor();
  await page.locator('#row-umbra', { hasText: 'until Monday' }).waitFor();
  await take('tenants');
  await page.emulateMedia({ colorScheme: 'dark' });
  await take('tenants-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(NARROW);
  await take('tenants-phone');
  await page.setViewportSize(WIDE);

  await open('/tenants/initech');
  await charted(page);
  await take('stuck', true);
  await open('/tenants/umbra');
  await charted(page);
  await take('paused', true);
  await open('/tenants/demo');
  await charted(page);
  await page.locator('summary', { hasText: 'Pause…' }).click();
  await page.getByLabel('Why?').fill('the customer moves their data');
  await take('pause');
  await open('/tenants/initech/steps');
  await page.locator('#evidence-roles summary').click();
  await take('steps', true);
  await open('/tenants/umbra/history');
  await take('history');
  await open('/tenants/umbra/settings');
  await take('settings', true);
  await page.close();
}

const charted = (page: Page): Promise<void> => page.locator('#plots canvas').nth(2).waitFor();
