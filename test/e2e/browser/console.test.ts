import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { listActions } from '../../../src/store/actions.ts';
import { takeIn } from '../../../src/store/ledger/take-in.ts';
import { liveWebhookKeys } from '../../../src/store/webhook-keys.ts';
import { describeBrowser, launchChromium } from '../../support/browser/chromium.ts';
import { asAnn, endSession, KEYS, OPERATOR_KEYS, signIn } from '../../support/browser/operator.ts';
import { newReader, type Reader, type ReaderOptions } from '../../support/browser/reader.ts';
import { startGladly, type TestGladly } from '../../support/onboarding/gladly.ts';
import { startWorld, type World } from '../../support/onboarding/world.ts';

const PATIENCE_MS = 120_000;
/** Long for a busy machine. */
const SOON = { timeout: 15_000 };
const MARKUP = '<img src=x onerror=alert(1)> & Söhne';

describeBrowser('the console', { timeout: PATIENCE_MS }, () => {
  let browser: Browser;
  let world: World;
  let gladly: TestGladly;

  beforeAll(async () => {
    [browser, gladly] = await Promise.all([launchChromium(), startGladly()]);
    world = await startWorld({ gladlyHosts: [gladly.host], env: { OPERATOR_KEYS } });
    await connect('good', 'Good Shoes');
    await connect('stuck', MARKUP);
    await asAnn(world.url, 'POST', '/v1/tenants', { tenantId: 'fresh', name: 'Fresh Fruit' });
  }, PATIENCE_MS);

  afterAll(async () => {
    await Promise.all([browser?.close(), world?.close(), gladly?.close()]);
  }, PATIENCE_MS);

  async function connect(tenantId: string, name: string): Promise<void> {
    await asAnn(world.url, 'POST', '/v1/tenants', { tenantId, name, webhookSetup: 'create_for_me' });
    const { host: domain, email, apiToken } = gladly;
    await asAnn(world.url, 'PUT', `/v1/tenants/${tenantId}/credentials`, { domain, email, apiToken });
    const isDone = async (): Promise<void> => {
      const status = await asAnn(world.url, 'GET', `/v1/tenants/${tenantId}`);
      expect(status).toMatchObject({ onboarding: { state: 'done' } });
    };
    await vi.waitFor(isDone, { timeout: 60_000, interval: 200 });
  }

  async function arrive(key: string = KEYS.ann, options: ReaderOptions = {}): Promise<Reader & { page: Page }> {
    const reader = await newReader(browser, options);
    onTestFinished(async () => {
      await reader.close();
    });
    await signIn(reader.page, world.url, key);
    return reader;
  }

  const open = (page: Page, path: string) => page.goto(`${world.url}/console${path}`);
  const state = (page: Page, label: string) => page.locator('.state .badge', { hasText: label }).waitFor();

  async function pause(page: Page, reason: string): Promise<void> {
    await page.locator('summary', { hasText: 'Pause…' }).click();
    await page.getByLabel('Why?').fill(reason);
    await page.getByRole('button', { name: 'Pause extraction' }).click();
  }

  it('leads from the stuck tenant at the top of the list to the mended one, and shows it happen', async () => {
    const { page, faults, elsewhere } = await arrive();
    await gladly.fault({ path: '/api/v1/**', status: 401 });
    await gladly.control('POST', '/emit', { count: 10, onlySubscribed: true });
    // It comes to the top by itself, with why.
    const first = page.locator('.tenants tbody tr').first();
    await first.locator('.badge', { hasText: 'Needs attention' }).waitFor();
    await first.getByText('Gladly does not accept the email address and API token').waitFor();
    // The other one of the same Gladly is stuck alike, a moment sooner or later.
    await page.locator('.tenants tbody .badge', { hasText: 'Needs attention' }).nth(1).waitFor();

    await gladly.clearFaults();
    const tenantId = (await first.locator('.id').textContent()) ?? '';
    await open(page, `/tenants/${tenantId}`);
    await state(page, 'Needs attention');
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByLabel('Gladly domain').fill(gladly.host);
    await page.getByLabel('Email address of the integration user').fill(gladly.email);
    await page.getByLabel('API token of that user').fill(gladly.apiToken);
    await page.getByRole('button', { name: 'Check and use them' }).click();
    await page.getByText('The new credentials are being checked').waitFor();
    await page.locator('#step-extraction .badge', { hasText: 'Done' }).waitFor();
    await page.getByRole('link', { name: 'Now' }).click();
    await state(page, 'Running');
    expect(faults).toEqual([]);
    expect(elsewhere).toEqual([]);
    // What is mended in Gladly needs no new credentials.
    const other = tenantId === 'good' ? 'stuck' : 'good';
    await open(page, `/tenants/${other}`);
    await state(page, 'Needs attention');
    await page.getByRole('button', { name: 'Check again' }).click();
    await state(page, 'Running');
  });

  it('pauses with a reason, shows what waits and until when, and resumes; everybody who looks sees it without loading anew', async () => {
    const ann = await arrive();
    const vic = await arrive(KEYS.vic);
    await open(ann.page, '/tenants/good');
    await open(vic.page, '/tenants/good');
    await state(ann.page, 'Running');
    await pause(ann.page, `the customer moves <b>data</b>`);
    await ann.page.getByText('Extraction was asked to pause.').waitFor();
    await state(vic.page, 'Paused');
    await vic.page.getByText('Paused by ann').waitFor();
    expect(await vic.page.locator('#now').textContent()).toContain('the customer moves <b>data</b>');

    await gladly.control('POST', '/emit', { count: 40, onlySubscribed: true });
    await vic.page.getByText('if nothing is done: the queue keeps events 4 days').waitFor();
    await vic.page.getByText(/Once it goes on, this takes about/).waitFor();
    // Nobody notes what waits during a pause; it is drawn all the same, up to now.
    const chart = await vic.page.evaluate(`fetch('/console/tenants/good/measurements').then((it) => it.json())`);
    const { waiting } = z.object({ waiting: z.array(z.number()) }).parse(chart);
    expect(waiting.at(-1)).toBeGreaterThan(0);
    await open(vic.page, '?show=paused');
    await vic.page.locator('#row-good', { hasText: 'in 3 days' }).waitFor();

    await ann.page.getByRole('button', { name: 'Resume extraction' }).click();
    await state(ann.page, 'Running');
    await ann.page.locator('.fact', { hasText: 'Waiting' }).locator('dd', { hasText: /^0 / }).waitFor();
    await ann.page.getByRole('link', { name: 'History' }).click();
    const rows = await ann.page.locator('.history tbody tr').allInnerTexts();
    expect(rows[0]).toMatch(/Resumed.*ann/s);
    expect(rows[1]).toMatch(/Paused.*ann.*the customer moves <b>data<\/b>/s);
  });

  it('finds by typing, and goes on following what was found', async () => {
    const { page } = await arrive();
    const names = () => page.locator('.tenants .id').allInnerTexts();
    expect((await names()).sort()).toEqual(['fresh', 'good', 'stuck']);
    await page.getByLabel('Find a tenant').fill('FRUIT');
    await expect.poll(names, SOON).toEqual(['fresh']);
    await expect.poll(() => page.url(), SOON).toContain('search=FRUIT');
    await asAnn(world.url, 'POST', '/v1/tenants', { tenantId: 'citrus', name: 'Citrus fruit' });
    await expect.poll(names, SOON).toContain('citrus');
    // Long enough for a stream of the whole list to come in between.
    await page.waitForTimeout(3_500);
    expect((await names()).sort()).toEqual(['citrus', 'fresh']);
    await page.getByLabel('Find a tenant').fill('nobody');
    await page.getByText('Nothing is found for “nobody”.').waitFor();
  });

  it('keeps markup in names, reasons and problems as text', async () => {
    const { page, faults } = await arrive();
    await page.getByRole('link', { name: MARKUP }).click();
    await page.getByRole('heading', { name: MARKUP }).waitFor();
    expect(await page.locator('main img').count()).toBe(0);
    expect(await page.title()).toContain(MARKUP);
    expect(faults).toEqual([]);
  });

  it('lets a viewer look at everything and change nothing', async () => {
    const { page } = await arrive(KEYS.vic);
    for (const path of ['', '/steps', '/rejected', '/history']) {
      await open(page, `/tenants/good${path}`);
      expect(await page.locator('main form[method=post], main button:not(.js-only)').count()).toBe(0);
    }
    await open(page, '/tenants/good/settings');
    expect(page.url()).toMatch(/\/console\/tenants\/good$/);
    const forms = [
      ['/new', 'tenantId=x&name=x&retentionDays=4'],
      ['/tenants/good/pause', 'reason=x'],
      ['/tenants/good/webhook-key', 'mark=x'],
      ['/tenants/good/disconnect', 'reason=x&confirm=good'],
      ['/tenants/good/redrive', 'events='],
      ['/tenants/good/discard', 'events=&reason=x'],
    ] as const;
    const before = await listActions(world.db, 'good', { limit: 100 });
    for (const [path, body] of forms) expect(await post(page, path, body)).toBe(403);
    expect(await listActions(world.db, 'good', { limit: 100 })).toEqual(before);
  });

  const post = (page: Page, path: string, body: string): Promise<number> =>
    page.evaluate(
      async ([to, text]) => {
        const headers = { 'content-type': 'application/x-www-form-urlencoded' };
        return (await fetch(`/console${to}`, { method: 'POST', body: text, headers, redirect: 'manual' })).status;
      },
      [path, body] as const,
    );

  it('does a form that is sent twice once, and a key shown once is the same in both answers', async () => {
    const { page } = await arrive();
    await open(page, '/tenants/fresh/settings');
    const keys = async (): Promise<number> => (await liveWebhookKeys(world.db, 'fresh', new Date())).length;
    const before = await keys();
    await page.getByRole('button', { name: 'Make a new webhook key' }).dblclick();
    await page.getByText('This is the only time that the key is shown.').waitFor();
    const key = (await page.locator('#made-key').textContent()) ?? '';
    expect(key).toMatch(/^[\w-]{43}$/);
    expect(await keys()).toBe(before + 1);
    await open(page, '/tenants/fresh/history');
    expect(await page.locator('.history').textContent()).not.toContain(key);
    const twice = await Promise.all([1, 2].map(() => post(page, '/tenants/stuck/recheck', '')));
    expect(twice[0]).toBe(twice[1]);
  });

  it('says in both tabs where things stand', async () => {
    const one = await arrive();
    const other = await one.context.newPage();
    await open(one.page, '/tenants/stuck');
    await open(other, '/tenants/stuck');
    await other.locator('summary', { hasText: 'Pause…' }).click();
    await other.getByLabel('Why?').fill('from the other tab');
    await pause(one.page, 'from one tab');
    await state(one.page, 'Paused');
    // The other tab shows that somebody was quicker.
    await other.getByText('Paused by ann').waitFor();
    expect(await other.locator('#now').textContent()).toContain('from one tab');
    expect(await other.getByRole('button', { name: 'Pause extraction' }).count()).toBe(0);
    await other.getByRole('button', { name: 'Resume extraction' }).click();
    await state(one.page, 'Running');
  });

  it('keeps what was typed when the session has ended, does nothing, and asks after the sign-in', async () => {
    const { page } = await arrive();
    await open(page, '/tenants/good');
    await endSession(page);
    await pause(page, 'typed before the session ended');
    await page.getByText('Your session had ended, so nothing was done yet.').waitFor();
    expect(await asAnn(world.url, 'GET', '/v1/tenants/good')).toMatchObject({ extraction: { pause: null } });
    await page.getByLabel('Operator key').fill('wrong'.repeat(8));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('This is no operator key.').waitFor();
    await page.getByLabel('Operator key').fill(KEYS.ann);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('typed before the session ended').waitFor();
    await page.getByRole('button', { name: 'Do it now' }).click();
    await page.getByText('Paused by ann').waitFor();
    expect(await page.locator('#now').textContent()).toContain('typed before the session ended');
    await page.getByRole('button', { name: 'Resume extraction' }).click();
    await state(page, 'Running');
  });

  it('says so when the session ends while a page is open, and leads back to it', async () => {
    const { page } = await arrive();
    await open(page, '/tenants/good');
    await page.locator('summary', { hasText: 'Pause…' }).click();
    await page.getByLabel('Why?').fill('half a sen');
    await endSession(page);
    // The lid of the laptop, down and up: the stream is connected again.
    for (const hidden of [true, false]) {
      await page.evaluate(
        `Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true });
         document.dispatchEvent(new Event('visibilitychange'))`,
      );
    }
    await page.getByText('Your session has ended, so this page does not follow any more.').waitFor();
    expect(await page.getByLabel('Why?').inputValue()).toBe('half a sen');
    await signIn(page, world.url);
    await open(page, '/tenants/good/history');
    await endSession(page);
    await page.reload();
    expect(new URL(page.url()).searchParams.get('to')).toBe('/console/tenants/good/history');
    await page.getByLabel('Operator key').fill(KEYS.ann);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.locator('.history').waitFor();
    await open(page, '');
    await endSession(page);
    await page.getByLabel('Find a tenant').fill('good');
    await page.getByLabel('Operator key').fill(KEYS.ann);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Tenants', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Operator key').waitFor();
    await open(page, '/tenants/good');
    expect(page.url()).toContain('/console/sign-in');
  });

  it('stops following in every tab when one signs out, also for who kept the cookie', async () => {
    const { page, context } = await arrive();
    const other = await context.newPage();
    await open(other, '/tenants/good');
    await state(other, 'Running');
    const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Operator key').waitFor();
    await other.getByText('Your session has ended, so this page does not follow any more.').waitFor({ timeout: 5_000 });
    const stream = await fetch(`${world.url}/console/live`, { headers: { cookie } });
    const { value } = (await stream.body?.getReader().read()) ?? {};
    expect(new TextDecoder().decode(value)).not.toContain('Good Shoes');
    const list = await fetch(`${world.url}/console`, { headers: { cookie }, redirect: 'manual' });
    expect([list.status, list.headers.get('location')]).toEqual([303, '/console/sign-in?to=%2Fconsole']);
  });

  it('sends nobody to another site, and takes no form from one', async () => {
    const { page } = await arrive();
    for (const to of ['https://example.com/', '//example.com', '/console@example.com', '/connect/x']) {
      await endSession(page);
      await page.goto(`${world.url}/console/sign-in?to=${encodeURIComponent(to)}`);
      await page.getByLabel('Operator key').fill(KEYS.ann);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('heading', { name: 'Tenants', level: 1 }).waitFor();
    }
    const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
    for (const headers of [{ origin: 'https://example.com' }, { 'sec-fetch-site': 'cross-site' }, {}]) {
      const answer = await fetch(`${world.url}/console/tenants/good/pause`, {
        method: 'POST',
        headers: { ...headers, cookie, 'content-type': 'application/x-www-form-urlencoded' },
        body: 'reason=x',
        redirect: 'manual',
      });
      expect(answer.status).toBe(403);
    }
  });

  it('brings rejected events back after a dry run that changes nothing', async () => {
    const { page, axe } = await arrive();
    await world.db.transaction((tx) =>
      takeIn(tx, 'good', [
        ...['one', 'two'].map((eventId) => ({
          ...REJECTED,
          eventId,
          type: 'CONVERSATION/CLOSED',
          conversationId: 'nowhere',
          reason: 'item_not_found',
        })),
        { ...REJECTED, eventId: 'three', type: null, conversationId: null, reason: 'not_json' },
      ]),
    );
    await open(page, '/tenants/good/rejected');
    await page.getByText('3 events were rejected').waitFor();
    await page.getByText('The delivery was not JSON.').waitFor();
    expect(await axe()).toEqual([]);
    await page.getByLabel('Event one').check();
    await page.getByRole('button', { name: 'Bring the ticked ones back…' }).click();
    await page.getByText('1 rejected event would wait again').waitFor();
    expect(await axe()).toEqual([]);
    await page.getByRole('link', { name: 'Leave them' }).click();
    await page.getByRole('button', { name: 'Bring all back…' }).click();
    await page.getByText('2 rejected events would wait again').waitFor();
    await page.getByText('1 event would stay as it is').waitFor();
    await page.getByRole('button', { name: 'Bring them back' }).click();
    await page.getByText('2 events and 0 dead letters were brought back.').waitFor();
    await page.getByText('1 event was rejected').waitFor();
  });

  it('connects a tenant from a form, shows its key once, and says what does not fit', async () => {
    const { page, axe } = await arrive();
    await page.getByRole('link', { name: 'Connect a tenant' }).click();
    await page.getByLabel('Name of the customer').fill('New <i>one</i>');
    await page.getByLabel('Id').fill('good');
    await page.getByRole('button', { name: 'Make the connect link' }).click();
    await page.getByText('A tenant with the id good exists already').waitFor();
    expect(await page.getByLabel('Name of the customer').inputValue()).toBe('New <i>one</i>');
    expect(await axe()).toEqual([]);
    await page.getByLabel('Id').fill('new-one');
    await page.getByRole('button', { name: 'Make the connect link' }).click();
    await page.getByRole('heading', { name: 'The tenant is there' }).waitFor();
    expect(await page.locator('#made-key').textContent()).toMatch(/^[\w-]{43}$/);
    expect(await axe()).toEqual([]);
    await page.getByRole('link', { name: 'Go through the set-up now' }).click();
    await page.waitForURL(/\/connect\//);
  });

  it('works without JavaScript', async () => {
    const { page } = await arrive(KEYS.ann, { javaScript: false });
    await page.getByLabel('Find a tenant').fill('shoes');
    await page.getByRole('button', { name: 'Find' }).click();
    expect(await page.locator('.tenants .id').allInnerTexts()).toEqual(['good']);
    await page.getByRole('link', { name: 'Good Shoes' }).click();
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByLabel('Days that the queue keeps events').fill('7');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('The settings are saved.').waitFor();
    expect(await page.getByLabel('Days that the queue keeps events').inputValue()).toBe('7');
  });

  it.each([
    [1440, 'light'],
    [1440, 'dark'],
    [390, 'light'],
    [390, 'dark'],
  ] as const)('is sound at %i px, %s: axe, no sideways scrolling, nothing from elsewhere', async (width, scheme) => {
    const { page, axe, faults, elsewhere } = await arrive(KEYS.ann, { width, scheme });
    const paths = ['', '/new', '/sign-in', '/tenants/fresh', '/tenants/fresh/steps', '/tenants/none'];
    const tabs = ['', '/steps', '/rejected', '/history', '/settings'].map((tab) => `/tenants/stuck${tab}`);
    for (const path of [...paths, ...tabs]) {
      await open(page, path);
      const found = { path, axe: await axe(), wide: await isTooWide(page), faults, elsewhere };
      expect(found).toEqual({ path, axe: [], wide: false, faults: [], elsewhere: [] });
    }
    await open(page, '/tenants/good');
    await page.locator('#plots canvas').first().waitFor();
    await page.locator('summary', { hasText: 'As a table' }).click();
    await page.locator('summary', { hasText: 'Pause…' }).click();
    expect(await axe()).toEqual([]);
    expect(await isTooWide(page)).toBe(false);
    expect(faults).toEqual([]);
  });

  const isTooWide = (page: Page): Promise<boolean> =>
    page.evaluate('document.documentElement.scrollWidth > innerWidth') as Promise<boolean>;

  it('is small: under 100 KB in all, and nothing inline', async () => {
    const { page } = await arrive();
    let bytes = 0;
    const session = await page.context().newCDPSession(page);
    await session.send('Network.enable');
    await session.send('Network.setCacheDisabled', { cacheDisabled: true });
    session.on('Network.loadingFinished', ({ encodedDataLength }) => {
      bytes += encodedDataLength;
    });
    await open(page, '/tenants/good');
    await page.locator('#plots canvas').first().waitFor();
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(100_000);
    expect(
      await page
        .locator('style, [style], script:not([src])')
        .evaluateAll((all) => all.map((one) => one.outerHTML.slice(0, 80)).filter((markup) => !markup.includes('u-'))),
    ).toEqual([]);
  });
});

const REJECTED = {
  itemId: null,
  customerId: null,
  eventAt: null,
  receivedAt: new Date(),
  way: 'direct' as const,
  body: '{}',
  state: 'rejected' as const,
};
