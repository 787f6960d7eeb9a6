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

/** So long trouble may take to really happen: what was ended or deleted is begun anew by the second sweep, and one that was killed is missed for half a minute. */
export const HAPPENS_MS = 180_000;
