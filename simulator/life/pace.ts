import type { Logger } from 'pino';
import type { Settings } from '../settings.ts';
import type { Emitter } from './emitter.ts';

/** Lets the organization live by itself: `settings.rate` changes in each second of real time. */
export type Pace = {
  /** Looks at the rate again. */
  update(): void;
  stop(): void;
};

const SHORTEST_TICK_MS = 20;

export function createPace(settings: Settings, emitter: Emitter, log: Logger): Pace {
  let timer: NodeJS.Timeout | undefined;
  let owed = 0;

  function tick(intervalMs: number): void {
    owed += (settings.rate * intervalMs) / 1000;
    try {
      for (; owed >= 0.999; owed -= 1) emitter.change();
    } catch (error) {
      owed = 0;
      log.error({ err: error }, 'a change of the organization went wrong');
    }
    update();
  }

  function update(): void {
    clearTimeout(timer);
    if (settings.rate <= 0) return;
    const intervalMs = Math.max(SHORTEST_TICK_MS, 1000 / settings.rate);
    timer = setTimeout(() => tick(intervalMs), Math.min(intervalMs, 2 ** 31 - 1));
  }

  return { update, stop: () => clearTimeout(timer) };
}
