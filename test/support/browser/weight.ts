import type { Browser } from 'playwright-core';

export interface Weight {
  /** Bytes over the network, headers and all. */
  readonly bytes: number;
  /** Milliseconds until something of the page was seen. */
  readonly firstPaintMs: number;
}

/** A slow mobile connection, as Lighthouse has it: 1.6 Mbit/s and 150 ms for each there and back. */
const SLOW = { offline: false, latency: 150, downloadThroughput: 1_600_000 / 8, uploadThroughput: 750_000 / 8 };

/** What a page costs who opens it for the first time on a slow connection. */
export async function weigh(browser: Browser, url: string): Promise<Weight> {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send('Network.enable');
    await session.send('Network.emulateNetworkConditions', SLOW);
    let bytes = 0;
    session.on('Network.loadingFinished', ({ encodedDataLength }) => {
      bytes += encodedDataLength;
    });
    await page.goto(url, { waitUntil: 'load' });
    const paint = `new Promise((seen) => new PerformanceObserver((list) => seen(list.getEntries()[0].startTime)).observe({ type: 'paint', buffered: true }))`;
    const firstPaintMs = Number(await page.evaluate(paint));
    return { bytes, firstPaintMs };
  } finally {
    await context.close();
  }
}
