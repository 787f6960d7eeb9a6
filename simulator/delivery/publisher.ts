import type { Clock } from '../clock.ts';
import type { GladlyEvent } from '../model.ts';
import type { Settings } from '../settings.ts';
import type { Stores } from '../store/stores.ts';
import type { Instant } from '../timestamps.ts';

export type Queued = { number: number; webhookId: string; nextMs: number };

/** Writes an event into the log, and a delivery for each webhook that wants it, in the caller's transaction. */
export type Publisher = {
  /** @returns the number of webhooks it goes to. */
  publish(event: GladlyEvent, at: Instant): number;
  /** The deliveries made since the last call; to be asked for after the commit. */
  takeQueued(): Queued[];
  /** After a rollback. */
  discard(): void;
};

export function createPublisher(
  stores: Pick<Stores, 'events' | 'webhooks' | 'deliveries'>,
  clock: Clock,
  settings: Pick<Settings, 'deliveryJitterMs'>,
): Publisher {
  let queued: Queued[] = [];
  return {
    publish: (event, at) => {
      stores.events.add(event, at.ms);
      const interested = stores.webhooks.list().filter(({ enabled, events }) => enabled && events.includes(event.type));
      for (const { id: webhookId } of interested) {
        // Not of the seed: when something is sent depends on the machine anyway.
        const jitterMs = Math.random() * settings.deliveryJitterMs * clock.factor();
        const nextMs = clock.now() + Math.floor(jitterMs);
        const number = stores.deliveries.add(event.id, event.type, webhookId, 'pending', nextMs, []);
        queued.push({ number, webhookId, nextMs });
      }
      return interested.length;
    },
    takeQueued: () => {
      const taken = queued;
      queued = [];
      return taken;
    },
    discard: () => {
      queued = [];
    },
  };
}
