import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 100;

/** Asks again until it is true; false when that takes longer than `withinMs`. What throws is not true yet: anything may be down. */
export async function eventually(what: () => Promise<boolean>, withinMs: number, everyMs = LOOK_MS): Promise<boolean> {
  const end = performance.now() + withinMs;
  for (;;) {
    if (await what().catch(() => false)) return true;
    if (performance.now() > end) return false;
    await sleep(everyMs);
  }
}

/** So long trouble may take to really happen: a tenant whose workflow was just ended is found by the second sweep. */
export const HAPPENS_MS = 90_000;
