import { pino } from 'pino';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { readConfig } from '../../../src/config.ts';
import { startApi } from '../../../src/roles/api.ts';
import { describeBrowser, launchChromium } from '../../support/browser/chromium.ts';
import { asAnn, OPERATOR_KEYS, signIn } from '../../support/browser/operator.ts';
import { newReader, type ReaderOptions } from '../../support/browser/reader.ts';
import { freePort } from '../../support/free-port.ts';
import { type Gate, gateTo } from '../../support/onboarding/gate.ts';
import { startWorld, type World } from '../../support/onboarding/world.ts';

const PATIENCE_MS = 120_000;
const created = z.object({ connectUrl: z.string() });
const LOOKS: readonly ReaderOptions[] = [
  { width: 1440, scheme: 'dark' },
  { width: 390, scheme: 'light' },
];

/** Pages that say that there is nothing to be seen: they are read by somebody who is stuck. */
describeBrowser('a page of what has ended or does not answer', { timeout: PATIENCE_MS }, () => {
  let browser: Browser;
  let world: World;
  /** Between a second API and the world's Postgres. */
  let gate: Gate;
  let second: { readonly url: string; readonly api: Awaited<ReturnType<typeof startApi>> };

  beforeAll(async () => {
    [browser, world] = await Promise.all([launchChromium(), startWorld({ gladlyHosts: [], env: { OPERATOR_KEYS } })]);
    const database = new URL(world.variables['DATABASE_URL'] ?? '');
    gate = await gateTo(`http://${database.host}`);
    database.host = new URL(gate.url).host;
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const variables = { ...world.variables, API_PORT: String(port), PUBLIC_URL: url, DATABASE_URL: database.href };
    second = { url, api: await startApi(readConfig(variables, 'api'), pino({ level: 'silent' })) };
  }, PATIENCE_MS);

  afterAll(async () => {
    second?.api.stop();
    await Promise.all([browser?.close(), second?.api.ended]);
    await gate?.end();
    await world?.close();
  }, PATIENCE_MS);

  async function newLink(tenantId: string): Promise<string> {
    const { connectUrl } = created.parse(
      await asAnn(world.url, 'POST', '/v1/tenants', { tenantId, name: 'Acme Shoes' }),
    );
    return connectUrl;
  }

  async function arrive(options: ReaderOptions) {
    const reader = await newReader(browser, options);
    onTestFinished(() => reader.close());
    const isSound = async (): Promise<void> => {
      const wide = await reader.page.evaluate('document.documentElement.scrollWidth > innerWidth');
      expect({ axe: await reader.axe(), wide, faults: reader.faults }).toEqual({ axe: [], wide: false, faults: [] });
    };
    return { ...reader, isSound };
  }

  it.each(LOOKS)('is sound where a connection has ended: %o', async (look) => {
    const tenantId = `ended-${look.width}`;
    await newLink(tenantId);
    const { page, isSound } = await arrive(look);
    await asAnn(world.url, 'DELETE', `/v1/tenants/${tenantId}`, { reason: 'test' });
    const renewed = created.parse(await asAnn(world.url, 'POST', `/v1/tenants/${tenantId}/connect-link`, {}));
    await page.goto(renewed.connectUrl);
    await page.getByRole('heading', { name: 'This connection has been ended' }).waitFor();
    await isSound();
  });

  it.each(LOOKS)('is sound while the database is out, and goes on when it is back: %o', async (look) => {
    const link = (await newLink(`out-${look.width}`)).replace(world.url, second.url);
    const { page, isSound } = await arrive(look);
    await signIn(page, second.url);
    gate.close();
    onTestFinished(() => gate.open());
    for (const url of [link, `${second.url}/console`, `${second.url}/console/tenants/out-${look.width}`]) {
      const answer = await page.goto(url);
      expect(answer?.status()).toBe(503);
      expect(answer?.headers()['retry-after']).toBe('5');
      await page.getByRole('heading', { name: 'We cannot be reached at the moment' }).waitFor();
      await page.getByText('The database does not answer.').waitFor();
      await isSound();
    }
    gate.open();
    await expect.poll(async () => (await page.goto(link))?.status(), { timeout: 30_000 }).toBe(200);
  });
});
