import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { Settings } from '../settings.ts';
import type { Attempt } from '../store/deliveries.ts';
import type { Stores } from '../store/stores.ts';
import type { Poster } from './post.ts';
import { createSchedule, type Scheduled } from './schedule.ts';

/**
 * Resends come 30 s, 5 min, 30 min and 1 h after the attempt before. Gladly's table leaves open whether these are
 * gaps or offsets from the first attempt (gladly.md 1.3, 6.4); gaps keep a receiver waiting longest.
 */
const RESEND_GAPS_MS: readonly number[] = [30_000, 300_000, 1_800_000, 3_600_000];

/** setTimeout takes no more than a signed 32-bit number. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Delivers one webhook's events: many at a time, in no promised order, each until it is taken or given up. */
export type Courier = {
  add(entry: Scheduled): void;
  /** Looks at the clock again, after its speed has changed. */
  wake(): void;
  /** The webhook was switched off: what is pending is not sent any more. */
  forget(): void;
  state(): { inFlight: number; due: number; scheduled: number };
  stop(): void;
};

export type CourierParts = {
  stores: Pick<Stores, 'webhooks' | 'deliveries'>;
  clock: Clock;
  poster: Poster;
  settings: Settings;
  log: Logger;
};

export function createCourier(webhookId: string, { stores, clock, poster, settings, log }: CourierParts): Courier {
  const schedule = createSchedule();
  let inFlight = 0;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  function pump(): void {
    clearTimeout(timer);
    while (!stopped && inFlight < settings.deliveriesInFlight) {
      const next = schedule.peek();
      if (next === undefined) return;
      const waitMs = clock.realMsUntil(next.nextMs);
      if (waitMs > 0) {
        timer = setTimeout(pump, Math.min(waitMs, LONGEST_TIMER_MS));
        return;
      }
      schedule.pop();
      inFlight += 1;
      void attempt(next.number)
        .catch((error: unknown) => log.error({ err: error, webhookId, delivery: next.number }, 'delivery went wrong'))
        .finally(() => {
          inFlight -= 1;
          pump();
        });
    }
  }

  async function attempt(number: number): Promise<void> {
    const stored = stores.deliveries.get(number);
    const webhook = stores.webhooks.get(webhookId);
    if (stored === undefined || stored.delivery.state !== 'pending') return;
    const earlier = stored.delivery.attempts;
    if (stored.body === undefined || webhook === undefined || !webhook.enabled) {
      stores.deliveries.record(number, 'dropped', clock.now(), earlier);
      return;
    }

    const at = new Date(clock.now()).toISOString();
    const { status, error, tookMs } = await poster.post(webhook, stored.body, settings.deliveryTimeoutMs);
    // Stopping cuts what is in flight: the delivery stays pending and is sent again by the next process.
    if (stopped) return;
    const attempts: Attempt[] = [...earlier, { at, status, tookMs, ...(error === undefined ? {} : { error }) }];
    if (status !== null && status >= 200 && status < 300) {
      stores.deliveries.record(number, 'delivered', clock.now(), attempts);
      return;
    }
    log.debug({ webhookId, delivery: number, attempt: attempts.length, status, error }, 'delivery failed');
    resendOrGiveUp(number, attempts);
  }

  function resendOrGiveUp(number: number, attempts: readonly Attempt[]): void {
    const gapMs = RESEND_GAPS_MS[attempts.length - 1];
    const webhook = stores.webhooks.get(webhookId);
    if (webhook === undefined || !webhook.enabled) {
      stores.deliveries.record(number, 'dropped', clock.now(), attempts);
    } else if (gapMs !== undefined) {
      const nextMs = clock.now() + gapMs;
      stores.deliveries.record(number, 'pending', nextMs, attempts);
      schedule.push({ number, nextMs });
    } else {
      const now = new Date(clock.now()).toISOString();
      stores.deliveries.record(number, 'failed', clock.now(), attempts);
      stores.webhooks.save({ ...webhook, enabled: false, disabledAtDueToRetryLimit: now, updatedAt: now });
      forget();
      log.warn({ webhookId }, 'webhook switched off: the fourth resend of an event failed');
    }
  }

  function forget(): void {
    schedule.clear();
    stores.deliveries.dropPending(webhookId);
  }

  return {
    add: (entry) => {
      schedule.push(entry);
      pump();
    },
    wake: pump,
    forget,
    state: () => {
      const first = schedule.peek();
      // Exact only when the room in flight is full: then more than the first may be due. A first attempt is due while
      // it waits out its jitter.
      const due = first !== undefined && clock.realMsUntil(first.nextMs) <= settings.deliveryJitterMs ? 1 : 0;
      return { inFlight, due, scheduled: schedule.size() };
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
