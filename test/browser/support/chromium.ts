import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const CANDIDATES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
];

/** Where a Chromium is: CHROMIUM, or one of the usual places; null where there is none, and then the browser tests are skipped. */
export const chromiumPath: string | null =
  [process.env['CHROMIUM'] ?? '', ...CANDIDATES].find((path) => path !== '' && existsSync(path)) ?? null;

/** With a fresh profile, and without what Chromium does on the network by itself. */
export async function launchChromium(): Promise<Browser> {
  if (chromiumPath === null) throw new Error('There is no Chromium here: apt-get install chromium, or set CHROMIUM.');
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
