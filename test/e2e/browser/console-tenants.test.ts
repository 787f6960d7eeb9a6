import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { removeTenant } from '../../../src/store/removal.ts';
import { createTenant } from '../../../src/store/tenants.ts';
import { describeBrowser, launchChromium } from '../../support/browser/chromium.ts';
import { asAnn, KEYS, OPERATOR_KEYS, signIn } from '../../support/browser/operator.ts';
import { newReader } from '../../support/browser/reader.ts';
import { startGladly, type TestGladly } from '../../support/onboarding/gladly.ts';
import { startWorld, type World } from '../../support/onboarding/world.ts';

const PATIENCE_MS = 120_000;
const MANY = 120;
const idOf = (n: number): string => `many-${String(n).padStart(3, '0')}`;

/** More tenants than fit on a page, and how one goes for good. */
describeBrowser('the tenants of the console', { timeout: PATIENCE_MS }, () => {
  let browser: Browser;
  let world: World;
  let gladly: TestGladly;

  beforeAll(async () => {
    [browser, gladly] = await Promise.all([launchChromium(), startGladly()]);
    world = await startWorld({ gladlyHosts: [gladly.host], env: { OPERATOR_KEYS } });
  }, PATIENCE_MS);

  afterAll(async () => {
    await Promise.all([browser?.close(), world?.close(), gladly?.close()]);
  }, PATIENCE_MS);

  async function arrive(key: string = KEYS.ann) {
    const reader = await newReader(browser);
    onTestFinished(() => reader.close());
    await signIn(reader.page, world.url, key);
    return reader;
  }

  const open = (page: Page, path: string) => page.goto(`${world.url}/console${path}`);
  /** As a person does: once more when nothing came of it, since an update may have drawn the link anew under the press. */
  async function turn(page: Page, to: 'Next' | 'Before', then: string): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      await page.getByRole('link', { name: to }).click();
      try {
        return await page.getByText(then).waitFor({ timeout: 10_000 });
      } catch (error) {
        if (tries === 3) throw error;
      }
    }
  }
  const names = (page: Page) => page.locator('.tenants .id').allInnerTexts();
  const status = (tenantId: string) => asAnn(world.url, 'GET', `/v1/tenants/${tenantId}`);

  async function connect(tenantId: string): Promise<void> {
    await asAnn(world.url, 'POST', '/v1/tenants', { tenantId, name: 'Good Shoes', webhookSetup: 'create_for_me' });
    const { host: domain, email, apiToken } = gladly;
    await asAnn(world.url, 'PUT', `/v1/tenants/${tenantId}/credentials`, { domain, email, apiToken });
    const isDone = async () => expect(await status(tenantId)).toMatchObject({ onboarding: { state: 'done' } });
    await vi.waitFor(isDone, { timeout: 60_000, interval: 200 });
  }

  it('disconnects one that is named once more, takes back what was made, and erases it only then', async () => {
    await connect('shoes');
    expect(await gladly.webhooks()).toHaveLength(1);
    const { page, axe, faults } = await arrive();
    await open(page, '/tenants/shoes/settings');
    expect(await page.getByRole('heading', { name: 'Erase all data' }).count()).toBe(0);

    const disconnect = page.locator('form#disconnect');
    await disconnect.getByLabel('Why?').fill('moved to <b>another</b> tool');
    await disconnect.getByLabel('To be sure, type shoes').fill('shoe');
    await disconnect.getByRole('button', { name: 'Disconnect' }).click();
    await page.getByText('Type shoes, exactly.').waitFor();
    expect(await axe()).toEqual([]);
    expect(await status('shoes')).toMatchObject({ connection: 'connected', onboarding: { state: 'done' } });

    await disconnect.getByLabel('Why?').fill('moved to <b>another</b> tool');
    await disconnect.getByLabel('To be sure, type shoes').fill('shoes');
    await disconnect.getByRole('button', { name: 'Disconnect' }).click();
    await page.getByText('The tenant is being disconnected.').waitFor();
    await page.getByRole('link', { name: 'Now' }).click();
    await page.locator('.state .badge', { hasText: 'Disconnected' }).waitFor();
    expect(await gladly.webhooks()).toEqual([]);
    expect(await status('shoes')).toMatchObject({ connection: 'disconnected' });
    expect(await page.getByRole('button', { name: 'Pause extraction' }).count()).toBe(0);
    expect(await axe()).toEqual([]);
    await page.getByRole('link', { name: 'History' }).click();
    await page.getByText('moved to <b>another</b> tool').waitFor();

    await page.getByRole('link', { name: 'Settings' }).click();
    const erase = page.locator('form#erase');
    await erase.getByLabel('To be sure, type shoes').fill('boots');
    await erase.getByRole('button', { name: 'Erase all data' }).click();
    await page.getByText('Type shoes, exactly.').waitFor();
    expect(await axe()).toEqual([]);
    await erase.getByLabel('To be sure, type shoes').fill('shoes');
    await erase.getByRole('button', { name: 'Erase all data' }).click();
    await page.getByRole('heading', { name: 'Tenants', level: 1 }).waitFor();
    await page.getByText('No tenant is connected yet.').waitFor();
    expect((await open(page, '/tenants/shoes'))?.status()).toBe(404);
    expect(faults).toEqual([]);
  });

  it('turns the pages of more tenants than fit on one, and follows the page that is open', async () => {
    await removeTenant(world.db, 'a-new-one');
    for (let n = 1; n <= MANY; n += 1) {
      await createTenant(world.db, { tenantId: idOf(n), name: `Number ${n}`, retentionDays: 4 });
    }
    const { page, axe, faults } = await arrive();
    const upTo = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => idOf(from + i));
    await page.getByText('Page 1 of 3, 120 tenants').waitFor();
    expect(await names(page)).toEqual(upTo(1, 50));
    expect(await page.getByRole('link', { name: 'Before' }).count()).toBe(0);

    await turn(page, 'Next', 'Page 2 of 3, 120 tenants');
    expect(await names(page)).toEqual(upTo(51, 100));
    expect(await axe()).toEqual([]);
    // One more at the top, for its events would be lost first; this page is told, and begins with what was the last of the page before.
    await createTenant(world.db, { tenantId: 'a-new-one', name: 'A new one', retentionDays: 1 });
    await page.getByText('Page 2 of 3, 121 tenants').waitFor();
    expect(await names(page)).toEqual(upTo(50, 99));

    await turn(page, 'Next', 'Page 3 of 3');
    expect(await names(page)).toEqual(upTo(100, 120));
    expect(await page.getByRole('link', { name: 'Next' }).count()).toBe(0);
    await turn(page, 'Before', 'Page 2 of 3');

    // What is found begins at its first page, and the links stay within what was found.
    await page.getByLabel('Find a tenant').fill('number 1');
    await expect.poll(() => names(page), { timeout: 15_000 }).toContain(idOf(1));
    expect(await page.getByRole('link', { name: 'Next' }).count()).toBe(0);
    await page.getByLabel('Find a tenant').fill('number');
    await page.getByText('Page 1 of 3, 120 tenants').waitFor();
    await turn(page, 'Next', 'Page 2 of 3, 120 tenants');
    expect(new URL(page.url()).searchParams.get('search')).toBe('number');
    // A page that is not there any more is the last one.
    await open(page, '?page=99');
    await page.getByText('Page 3 of 3').waitFor();
    expect(faults).toEqual([]);
  });
});
