import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContext, Page } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

export interface ReaderOptions {
  /** Pixels. 1440 unless told. */
  readonly width?: number;
  readonly scheme?: 'light' | 'dark';
  readonly javaScript?: boolean;
  /** How slow the machine of the reader is to answer on a busy runner: all waits, in milliseconds. */
  readonly patienceMs?: number;
}

/** One person with a browser of their own. What the page did wrong in the meantime is kept. */
export interface Reader {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Script errors and what the content security policy stopped. A failed request alone is no fault of the page. */
  readonly faults: readonly string[];
  /** Requests that went to another host than the page's. */
  readonly elsewhere: readonly string[];
  /** Everything that axe finds, one line each. */
  axe(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export async function newReader(browser: Browser, options: ReaderOptions = {}): Promise<Reader> {
  const { width = 1440, scheme = 'light', javaScript = true, patienceMs = 60_000 } = options;
  const context = await browser.newContext({
    viewport: { width, height: width < 600 ? 844 : 900 },
    colorScheme: scheme,
    javaScriptEnabled: javaScript,
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(patienceMs);
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const page = await context.newPage();
  const faults: string[] = [];
  const elsewhere: string[] = [];
  let host = '';
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      faults.push(message.text());
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (request.isNavigationRequest() && host === '') host = url.host;
    if (url.host !== host) elsewhere.push(url.href);
  });
  return {
    page,
    context,
    faults,
    elsewhere,
    axe: async () => {
      // Evaluated by the debugger, so the page's content security policy has no say.
      await page.evaluate(AXE);
      const found = await page.evaluate(
        `axe.run(document, { runOnly: ${JSON.stringify(WCAG)} }).then(({ violations }) =>
          violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => id + ': ' + html.slice(0, 200) + ' ' + failureSummary)))`,
      );
      return found as readonly string[];
    },
    close: () => context.close(),
  };
}
