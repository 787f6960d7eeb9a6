import { setTimeout as pause } from 'node:timers/promises';

/** Waits until `isSo` resolves to true; rejects after `ms`. */
export async function until(isSo: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> {
  for (const deadline = Date.now() + ms; Date.now() < deadline; await pause(20)) {
    if (await isSo()) return;
  }
  throw new Error(`not so within ${ms} ms: ${isSo}`);
}
