import { type Courier, type CourierParts, createCourier } from './courier.ts';
import type { Queued } from './publisher.ts';

/** One courier a webhook, so that a slow receiver holds up only itself. */
export type Couriers = {
  add(queued: readonly Queued[]): void;
  wake(): void;
  /** A webhook was switched off or deleted. */
  forget(webhookId: string): void;
  /** inFlight: being sent. due: could be sent now. pending: all that is not settled, resends in the future too. */
  state(): { inFlight: number; due: number; pending: number };
  stop(): void;
};

export function createCouriers(parts: CourierParts): Couriers {
  const couriers = new Map<string, Courier>();

  function courierOf(webhookId: string): Courier {
    const known = couriers.get(webhookId);
    if (known !== undefined) return known;
    const created = createCourier(webhookId, parts);
    couriers.set(webhookId, created);
    return created;
  }

  // What an earlier process left undone, with its resend times.
  for (const { webhookId, ...entry } of parts.stores.deliveries.pending()) courierOf(webhookId).add(entry);

  return {
    add: (queued) => {
      for (const { webhookId, ...entry } of queued) courierOf(webhookId).add(entry);
    },
    wake: () => {
      for (const courier of couriers.values()) courier.wake();
    },
    forget: (webhookId) => {
      courierOf(webhookId).forget();
    },
    state: () => {
      const total = { inFlight: 0, due: 0, pending: 0 };
      for (const courier of couriers.values()) {
        const { inFlight, due, scheduled } = courier.state();
        total.inFlight += inFlight;
        total.due += due;
        total.pending += inFlight + scheduled;
      }
      return total;
    },
    stop: () => {
      for (const courier of couriers.values()) courier.stop();
    },
  };
}
