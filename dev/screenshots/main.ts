/**
 * `npm run screenshots`: takes the pictures that the docs use, into docs/images, from a running application of its own. CHROMIUM says which browser,
 * /usr/bin/chromium by default. Look at what it has made: nothing else does.
 */
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { connectPictures } from './connect.ts';
import { consolePictures } from './console.ts';
import type { Shots } from './shots.ts';
import { temporalPictures } from './temporal.ts';
import { startWorld } from './world.ts';

/** Each takes the pictures of one part, in a browser of its own kind, and leaves its tenants behind. */
const PARTS: Readonly<Record<string, (shots: Shots) => Promise<void>>> = {
  connect: connectPictures,
  console: consolePictures,
  temporal: temporalPictures,
};

const images = join(import.meta.dirname, '../../docs/images');
const wanted = process.argv.slice(2);
const world = await startWorld();
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: [
    ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
    ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
  ],
});
try {
  for (const [name, take] of Object.entries(PARTS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    process.stdout.write(`pictures of ${name}\n`);
    await take({ world, browser, file: (picture) => join(images, `${picture}.png`) });
  }
} finally {
  await browser.close();
  await world.stop();
}
