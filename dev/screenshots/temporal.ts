import type { Page } from 'playwright-core';
import type { Shots } from './shots.ts';

const SIZE = { width: 1440, height: 860 };
/** A short list, without the empty space below it. */
const LIST_HEIGHT = 420;
/** Columns are each browser's own business in Temporal UI; these are the ones that docs/operators.md recommends. */
const COLUMNS = ['Status', 'Workflow ID', 'State', 'Problem', 'PausedSince'].map((label) => ({ label }));

/** Temporal UI as docs/operators.md shows it: who is stuck and why, how to pause and resume, and what one sees without having signed in. */
export async function temporalPictures({ world, browser, file }: Shots): Promise<void> {
  const tokenId = await world.connect('acme', 'Acme');
  await world.connect('globex', 'Globex');
  await world.api('POST', '/v1/tenants/globex/pause', { reason: 'the customer asked for a freeze' });
  await world.reaches('globex', 'paused');
  // Acme's token is deleted in Gladly: the next event that is to be extracted finds out.
  await world.gladly('DELETE', `/simulator/tokens/${tokenId}`);
  await world.gladly('POST', '/simulator/emit', { count: 5, onlySubscribed: true });
  await world.reaches('acme', 'needs_attention');

  const page = await browser.newPage({ viewport: SIZE, colorScheme: 'light', timezoneId: 'UTC' });
  await page.addInitScript((columns) => {
    localStorage.setItem('namespace-workflow-table-columns', JSON.stringify({ default: columns }));
  }, COLUMNS);
  const workflows = `${world.temporalUiUrl}/namespaces/default/workflows`;
  const workflow = (tenantId: string): string => `${workflows}/${encodeURIComponent(`extraction/${tenantId}`)}`;
  const take = async (name: string, height = SIZE.height): Promise<void> => {
    // Temporal UI slides and fades.
    await page.waitForTimeout(700);
    await page.screenshot({ path: file(`temporal-${name}`), clip: { x: 0, y: 0, width: SIZE.width, height } });
  };

  await page.goto(workflow('globex'));
  await page.getByText('Payloads are encrypted.').waitFor();
  await take('not-signed-in');

  await signIn(page, world);
  const list = async (query: string, shows: string): Promise<void> => {
    await page.goto(`${workflows}?query=${encodeURIComponent(query)}`);
    await page.getByRole('link', { name: shows }).first().waitFor();
  };
  await list('WorkflowType="extraction"', 'extraction/demo');
  await take('all', LIST_HEIGHT);
  await list('State="needs_attention"', 'extraction/acme');
  await take('needs-attention', LIST_HEIGHT);

  const report = async (tenantId: string, says: RegExp): Promise<void> => {
    await page.goto(workflow(tenantId));
    await page.getByRole('tab', { name: 'User Metadata' }).click();
    await page.getByText('Current Details').first().waitFor();
    await page.frameLocator('#user-metadata-current-details').getByText(says).first().waitFor();
  };
  await report('acme', /^Needs attention$/);
  await take('why');

  // The dialog offers signals by name once the page knows them, which is when it shows the report.
  await report('demo', /^Running/);
  await page.getByRole('button', { name: 'More Actions' }).click();
  await page.getByRole('menuitem', { name: 'Send a Signal' }).click();
  const dialog = page.locator('dialog[open]');
  await dialog.getByTestId('signal-select-button').click();
  const pause = dialog.getByRole('option', { name: /^pause/ });
  await pause.waitFor();
  await take('signals');
  await pause.click();
  await dialog.locator('.cm-content').click();
  await page.keyboard.insertText('{"by": "ann", "reason": "the customer moves their data"}');
  await take('pause');
  await dialog.getByRole('button', { name: 'Submit' }).click();
  await world.reaches('demo', 'paused');
  await report('demo', /^Paused$/);
  await take('paused');

  await page.goto(`${workflow('demo')}`);
  await page.getByText('pause', { exact: true }).filter({ visible: true }).first().waitFor();
  await take('timeline');
  await page.close();
}

/** As an operator does, in the console. */
async function signIn(page: Page, { apiUrl, operatorKey }: Shots['world']): Promise<void> {
  await page.goto(`${apiUrl}/console/sign-in`);
  await page.locator('input[name="key"]').fill(operatorKey);
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.pathname !== '/console/sign-in');
}
