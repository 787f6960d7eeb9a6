import { setTimeout as delay } from 'node:timers/promises';

/** Asserts again and again until it holds; throws the last failure after `ms`. */
export async function eventually(assertion: () => Promise<unknown>, ms = 20_000): Promise<void> {
  const end = Date.now() + ms;
  for (;;) {
    try {
      await assertion();
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await delay(50);
    }
  }
}
