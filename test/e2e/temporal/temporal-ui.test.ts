import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { extractionWorkflowId } from '../../../src/contracts/tenant.ts';
import { isEncrypted } from '../../../src/temporal/payload-codec.ts';
import { DevWorld, REAL } from '../../support/dev-world.ts';

const START_MS = 90_000;
const PAUSE = '{"by": "ann", "reason": "typed into Temporal UI"}';

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
});
afterAll(() => browser?.close());

describe('Temporal UI of npm start', () => {
  it('decrypts payloads for an operator only, and takes a signal that goes encrypted', {
    timeout: 180_000,
  }, async () => {
    const world = (await DevWorld.make({}, REAL)).start();
    await world.saying('The first conversation is stored', START_MS);
    const ui = `http://127.0.0.1:${world.port('TEMPORAL_UI_PORT')}`;
    const workflow = `${ui}/namespaces/default/workflows/${encodeURIComponent(extractionWorkflowId('demo'))}`;
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });

    // Nobody is signed in: nothing is shown, and the page says what to do.
    await page.goto(workflow);
    await page.getByText('Payloads are encrypted. Sign in to the console').waitFor();
    expect(await page.getByText('parkedLookMs').count()).toBe(0);

    await signIn(page, world);
    await page.goto(workflow);
    await page.getByText('parkedLookMs').first().waitFor();
    expect(await page.getByText('Payloads are encrypted').count()).toBe(0);
    await page.getByRole('tab', { name: 'User Metadata' }).click();
    const report = page.frameLocator('#user-metadata-current-details');
    await report.getByText(/^Running/).waitFor();
    const link = report.getByRole('link', { name: 'Open this tenant in the console' });
    expect(await link.getAttribute('href')).toBe(`${world.apiUrl}/console/tenants/demo`);

    await sendPause(page);
    await report
      .getByText(/^Paused$/)
      .or(report.getByText(/^Pausing$/))
      .waitFor();
    expect(await typedSignal(world)).toMatchObject({ name: 'pause', isEncrypted: true });
    await page.close();
  });
});

async function signIn(page: Page, world: DevWorld): Promise<void> {
  const text = readFileSync(join(world.dataDir, 'keys.json'), 'utf8');
  const { operatorKey } = z.object({ operatorKey: z.string() }).parse(JSON.parse(text));
  await page.goto(`${world.apiUrl}/console/sign-in`);
  await page.locator('input[name="key"]').fill(operatorKey);
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.pathname !== '/console/sign-in');
}

async function sendPause(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'More Actions' }).click();
  await page.getByRole('menuitem', { name: 'Send a Signal' }).click();
  const dialog = page.locator('dialog[open]');
  await dialog.getByTestId('signal-select-button').click();
  const pause = dialog.getByRole('option', { name: /^pause/ });
  expect(await pause.textContent()).toContain('Input: {"by": "your name", "reason": "why"}');
  await pause.click();
  await dialog.locator('.cm-content').click();
  await page.keyboard.insertText(PAUSE);
  await dialog.getByRole('button', { name: 'Submit' }).click();
  await dialog.waitFor({ state: 'hidden' });
  await page.reload();
}

/** The last signal as Temporal has it. */
async function typedSignal(world: DevWorld): Promise<{ name: string; isEncrypted: boolean } | undefined> {
  const connection = await Connection.connect({ address: `127.0.0.1:${world.port('TEMPORAL_PORT')}` });
  try {
    const handle = new Client({ connection }).workflow.getHandle(extractionWorkflowId('demo'));
    const { events } = await handle.fetchHistory();
    const signal = events?.findLast(
      ({ workflowExecutionSignaledEventAttributes: it }) => it?.signalName === 'pause',
    )?.workflowExecutionSignaledEventAttributes;
    return signal
      ? { name: signal.signalName ?? '', isEncrypted: (signal.input?.payloads ?? []).every(isEncrypted) }
      : undefined;
  } finally {
    await connection.close();
  }
}
