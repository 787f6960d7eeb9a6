import type { Clock } from '../clock.ts';
import type { Settings } from '../settings.ts';
import type { Deliveries } from '../store/deliveries.ts';
import type { Webhook } from '../store/webhooks.ts';
import type { Poster } from './post.ts';

/** The event that a webhook must answer before it is enabled or its URL is changed. */
export type Pinger = {
  /** True when the answer was exactly 200 in time: no other 2XX will do for a PING (gladly.md 1.3). */
  ping(webhook: Webhook): Promise<boolean>;
};

export function createPinger(
  poster: Poster,
  deliveries: Deliveries,
  clock: Clock,
  settings: Settings,
  newId: () => string,
): Pinger {
  return {
    ping: async (webhook) => {
      const id = newId();
      const at = new Date(clock.now()).toISOString();
      const event =
        settings.pingBody === 'envelope' ? { id, type: 'PING', timestamp: at, content: {} } : { type: 'PING' };
      const { status, error, tookMs } = await poster.post(webhook, JSON.stringify(event), settings.deliveryTimeoutMs);
      const answered = status === 200;
      const attempt = { at, status, tookMs, ...(error === undefined ? {} : { error }) };
      // A PING is never sent again.
      deliveries.add(id, 'PING', webhook.id, answered ? 'delivered' : 'failed', clock.now(), [attempt]);
      return answered;
    },
  };
}
