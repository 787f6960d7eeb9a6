import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { describe, it, type TestOptions } from 'vitest';

const CANDIDATES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
];

/** Where a Chromium is: CHROMIUM, or one of the usual places; null where there is none. */
const chromiumPath: string | null =
  [process.env['CHROMIUM'] ?? '', ...CANDIDATES].find((path) => path !== '' && existsSync(path)) ?? null;

const MISSING =
  'There is no Chromium here for the tests of the pages. Install one (apt-get install chromium), or say in CHROMIUM where it is.';

/**
 * A suite that needs a Chromium. Where there is none, each such suite is skipped under a name that says why; with CI set it fails, for
 * what nobody sees skipped is never tested.
 */
export function describeBrowser(name: string, options: TestOptions, suite: () => void): void {
  if (chromiumPath !== null) describe(name, options, suite);
  else if (process.env['CI']) {
    it(`${name}: needs a Chromium`, () => {
      throw new Error(MISSING);
    });
  } else describe.skip(`${name}. SKIPPED: ${MISSING}`, options, suite);
}

/** With a fresh profile, and without what Chromium does on the network by itself. */
export async function launchChromium(): Promise<Browser> {
  if (chromiumPath === null) throw new Error(MISSING);
  return await chromium.launch({
    executablePath: chromiumPath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
