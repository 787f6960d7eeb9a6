import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { SUBSCRIBED_EVENTS } from '../../../src/gladly/events.ts';
import { describeBrowser, launchChromium } from '../../support/browser/chromium.ts';
import { type Customer, customerAt, textOf } from '../../support/browser/customer.ts';
import { changeWebhook, saveWebhook } from '../../support/browser/gladly-form.ts';
import { newReader, type Reader, type ReaderOptions } from '../../support/browser/reader.ts';
import { startGladly, type TestGladly } from '../../support/onboarding/gladly.ts';
import { startWorld, type World } from '../../support/onboarding/world.ts';

const PATIENCE_MS = 120_000;
const OFFERED = SUBSCRIBED_EVENTS.filter((type) => type !== 'MESSAGE/RECEIVED');
const created = z.object({ connectUrl: z.string(), webhookUrl: z.string() });

/** A customer walks the whole way, and meets a fault on it. */
describeBrowser('the connect page, from the link to the first conversation', {}, () => {
  let browser: Browser;
  let world: World;
  let gladly: TestGladly;
  let count = 0;

  beforeAll(async () => {
    [browser, gladly] = await Promise.all([launchChromium(), startGladly()]);
    world = await startWorld({ gladlyHosts: [gladly.host] });
  }, PATIENCE_MS);

  afterAll(async () => {
    await Promise.all([browser?.close(), world?.close(), gladly?.close()]);
  }, PATIENCE_MS);

  async function newTenant() {
    count += 1;
    return created.parse(await world.api('POST', '/v1/tenants', { tenantId: `shoes-${count}`, name: 'Acme Shoes' }));
  }

  async function arrive(options: ReaderOptions = {}) {
    const tenant = await newTenant();
    const reader = await newReader(browser, options);
    const customer = customerAt(reader.page);
    onTestFinished(async () => {
      await reader.close();
      await gladly.clearFaults();
      await gladly.setRoles(['API User', 'Agent', 'Administrator']);
      for (const { id } of await gladly.webhooks()) {
        await gladly.api('PATCH', `/webhooks/${id}`, { enabled: false });
        await gladly.api('DELETE', `/webhooks/${id}`);
      }
    });
    await customer.open(tenant.connectUrl);
    return { tenant, reader, customer };
  }

  const good = () => ({ domain: gladly.host, email: gladly.email, apiToken: gladly.apiToken });

  /** The page is as it should be in this state, too. */
  async function isSound({ axe, faults, elsewhere }: Reader): Promise<void> {
    expect(await axe()).toEqual([]);
    expect(faults).toEqual([]);
    expect(elsewhere).toEqual([]);
  }

  async function untilFirstConversation(customer: Customer): Promise<void> {
    await customer.connected();
    await gladly.control('POST', '/emit', { count: 5, onlySubscribed: true });
    await customer.page.getByText('The first conversation has arrived.').waitFor();
    expect(Number(await textOf(customer.page.locator('#events-arrived')))).toBeGreaterThan(0);
    expect(Number(await textOf(customer.page.locator('#conversations-stored')))).toBeGreaterThan(0);
  }

  it('wrong token: says so, keeps the domain, and goes on with the right one', { timeout: PATIENCE_MS }, async () => {
    const { customer, reader } = await arrive();
    await isSound(reader);
    await customer.enter({ ...good(), apiToken: 'not-the-token-at-all' });
    await customer.comesOut('token', 'wrong');
    expect(await textOf(customer.check('token'))).toContain(
      `Gladly does not accept the email address and API token for ${gladly.host}.`,
    );
    expect(await customer.standing()).toContain('This needs you');
    await isSound(reader);

    expect(await customer.page.getByLabel('Gladly domain').inputValue()).toBe(gladly.host);
    await customer.enter({ email: gladly.email, apiToken: gladly.apiToken });
    await customer.comesOut('roles', 'done');
    await isSound(reader);
    await customer.press('Create it for me');
    await untilFirstConversation(customer);
    await isSound(reader);
    expect(await customer.page.content()).not.toContain(gladly.apiToken);
  });

  it('missing role: named with the menu, and found when it was given', { timeout: PATIENCE_MS }, async () => {
    const { customer, reader } = await arrive({ width: 390, scheme: 'dark' });
    await gladly.setRoles(['API User', 'Agent']);
    await customer.enter(good());
    await customer.comesOut('roles', 'wrong');
    const line = await textOf(customer.check('roles'));
    expect(line).toContain('The integration user does not have the role Administrator.');
    expect(line).toContain('Settings > Users');
    await isSound(reader);

    await gladly.setRoles(['API User', 'Agent', 'Administrator']);
    await customer.press('Check again');
    await customer.comesOut('roles', 'done');
    await customer.press('Create it for me');
    await untilFirstConversation(customer);
    await isSound(reader);
  });

  it('missing events: marked one by one, and ticked when they arrive', { timeout: PATIENCE_MS }, async () => {
    const { customer, reader, tenant } = await arrive();
    await customer.enter(good());
    await customer.page.getByText('By hand: the fields, ready to copy').click();
    const key = await newKey(customer);
    const some = OFFERED.slice(0, 4);
    expect(await saveWebhook(gladly, { url: tenant.webhookUrl, events: some, key })).toBe(true);
    await customer.press('I have saved it: check now');
    await customer.comesOut('webhook', 'wrong');
    expect(await customer.page.locator('.events li.wrong').count()).toBe(OFFERED.length - some.length);
    await isSound(reader);

    await changeWebhook(gladly, { events: OFFERED });
    await customer.press('Check again');
    await untilFirstConversation(customer);
    await customer.page.locator('#step-3 summary').first().click();
    expect(await customer.page.locator('.events li.done').count()).toBeGreaterThan(1);
    await isSound(reader);
  });

  it('wrong key: told from a missing webhook, and mended with a new key', { timeout: PATIENCE_MS }, async () => {
    const { customer, reader, tenant } = await arrive();
    await customer.enter(good());
    await customer.page.getByText('By hand: the fields, ready to copy').click();
    const webhook = { url: tenant.webhookUrl, events: OFFERED };
    expect(await saveWebhook(gladly, { ...webhook, key: 'mistyped-key' })).toBe(false);
    await customer.press('I have saved it: check now');
    await customer.comesOut('webhook', 'wrong');
    expect(await textOf(customer.check('webhook'))).toContain('with a wrong webhook key');
    await isSound(reader);

    expect(await saveWebhook(gladly, { ...webhook, key: await newKey(customer) })).toBe(true);
    // Nobody presses anything: Gladly's test call is news enough.
    await customer.comesOut('webhook', 'done');
    await untilFirstConversation(customer);
    await isSound(reader);
  });

  it('outage: says that it goes on by itself, and does', { timeout: PATIENCE_MS }, async () => {
    const { customer, reader } = await arrive({ width: 390 });
    await gladly.fault({ path: '/api/v1/**', status: 503, body: 'html' });
    await customer.enter(good());
    await customer.page.getByText('Gladly has a problem of its own at the moment (status 503).').first().waitFor();
    expect(await textOf(customer.check('domain'))).toContain('Nothing to do');
    await isSound(reader);

    await gladly.clearFaults();
    await customer.comesOut('roles', 'done');
    await customer.press('Create it for me');
    await untilFirstConversation(customer);
    await isSound(reader);
  });

  /** As the customer gets it: pressed, copied, and gone with the next page. */
  async function newKey({ page }: Customer): Promise<string> {
    await page.getByRole('button', { name: /^Make (a new key|another)$/ }).click();
    const shown = page.locator('#value-key');
    const key = await textOf(shown);
    await page.locator('#webhook-key').getByRole('button', { name: /^Copy/ }).click();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(key);
    return key;
  }
});
