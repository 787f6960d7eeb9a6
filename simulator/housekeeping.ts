import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import { DAY_MS } from './rest/events.ts';
import type { Stores } from './store/stores.ts';

/** Real time between two rounds. */
const ROUND_MS = 60_000;

/** Keeps a simulator that lives for days small: 24 h of events (simulated time), and a bounded delivery log. */
export function startHousekeeping(stores: Stores, clock: Clock, deliveryLogSize: number, log: Logger): () => void {
  function round(): void {
    try {
      tidy(stores, clock, deliveryLogSize);
    } catch (error) {
      log.error({ err: error }, 'housekeeping went wrong');
    }
  }
  round();
  const timer = setInterval(round, ROUND_MS);
  return () => clearInterval(timer);
}

export function tidy(stores: Stores, clock: Clock, deliveryLogSize: number): void {
  stores.events.trim(clock.now() - DAY_MS);
  stores.deliveries.trim(deliveryLogSize);
}
