import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { Couriers } from '../delivery/couriers.ts';
import type { Life } from '../life/life.ts';
import type { Directory } from '../model.ts';
import { json } from '../rest/answer.ts';
import { MOST_WEBHOOKS, toPublic } from '../rest/webhooks.ts';
import type { Settings } from '../settings.ts';
import { deliveryStateSchema } from '../store/deliveries.ts';
import type { Stores } from '../store/stores.ts';
import type { Visibility } from '../visibility.ts';
import { type ControlRoute, read } from './control.ts';

export type WorldParts = {
  directory: Directory;
  gladlyUrl: () => string;
  stores: Stores;
  clock: Clock;
  couriers: Couriers;
  visibility: Visibility;
  settings: Settings;
  life: Life;
  /** After settings have changed: the rate of life, the clock. */
  settingsChanged: () => void;
};

const settingsSchema = z
  .strictObject({
    rate: z.number().min(0).max(1000),
    quotaPerSecond: z.int().positive().nullable(),
    quotaWindow: z.enum(['sliding', 'fixed']),
    eventsLagSeconds: z.number().min(0),
    legacyEvents: z.boolean(),
    deliveryTimeoutMs: z.int().positive(),
    deliveriesInFlight: z.int().positive().max(500),
    deliveryJitterMs: z.int().min(0).max(60_000),
    pingBody: z.enum(['type-only', 'envelope']),
    clockFactor: z.number().positive().max(1_000_000),
    readLagMs: z.int().min(0),
    nodeClocksMs: z.array(z.int()).min(1),
    newLagMs: z.int().min(0),
    rivalPerSecond: z.int().min(0).max(1000),
  })
  .partial();

const pageSchema = z.object({
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().positive().max(10_000).default(1000),
});

const deliveryPageSchema = pageSchema.extend({
  state: deliveryStateSchema.optional(),
  eventId: z.string().optional(),
  webhookId: z.string().optional(),
  type: z.string().optional(),
});

const resendSchema = z.strictObject({ eventId: z.string() });

const waitSchema = z.object({ waitMs: z.coerce.number().int().min(0).max(600_000).default(0) });

/** The state of everything, its settings, and what was delivered. */
export function worldRoutes(parts: WorldParts): ControlRoute[] {
  const { stores, couriers } = parts;
  const deliveryState = (): { quiet: boolean; settled: boolean } & ReturnType<Couriers['state']> => {
    const state = couriers.state();
    return { quiet: state.inFlight === 0 && state.due === 0, settled: state.pending === 0, ...state };
  };

  return [
    { method: 'GET', path: '/simulator', handle: () => json(200, summary(parts, deliveryState())) },
    {
      method: 'PATCH',
      path: '/simulator/settings',
      handle: ({ body }) => {
        const { clockFactor, readLagMs, ...changes } = read(settingsSchema, body);
        Object.assign(parts.settings, changes);
        if (clockFactor !== undefined) parts.clock.setFactor(clockFactor);
        if (readLagMs !== undefined) parts.visibility.setLag(readLagMs);
        parts.settingsChanged();
        return json(200, settingsOf(parts));
      },
    },
    {
      method: 'GET',
      path: '/simulator/deliveries',
      handle: ({ query }) => {
        const filter = read(deliveryPageSchema, Object.fromEntries(query));
        const deliveries = stores.deliveries.list(filter).map(({ nextMs, ...delivery }) => ({
          ...delivery,
          ...(delivery.state === 'pending' ? { nextAttemptAt: new Date(nextMs).toISOString() } : {}),
        }));
        return json(200, { deliveries, next: deliveries.at(-1)?.number ?? filter.after });
      },
    },
    {
      method: 'POST',
      path: '/simulator/deliveries/resend',
      handle: ({ body }) => {
        const { eventId } = read(resendSchema, body);
        const again = stores.deliveries
          .list({ after: 0, limit: MOST_WEBHOOKS, eventId, state: 'delivered' })
          .filter(({ type }) => type !== 'PING');
        const nextMs = parts.clock.now();
        for (const { number, attempts } of again) stores.deliveries.record(number, 'pending', nextMs, attempts);
        couriers.add(again.map(({ number, webhookId }) => ({ number, webhookId, nextMs })));
        return json(200, { resent: again.length });
      },
    },
    {
      method: 'GET',
      path: '/simulator/deliveries/settled',
      handle: async ({ query }) => {
        const { waitMs } = read(waitSchema, Object.fromEntries(query));
        const until = Date.now() + waitMs;
        while (!deliveryState().settled && Date.now() < until) await sleep(10);
        return json(200, deliveryState());
      },
    },
    {
      method: 'GET',
      path: '/simulator/deliveries/quiet',
      handle: async ({ query }) => {
        const { waitMs } = read(waitSchema, Object.fromEntries(query));
        const until = Date.now() + waitMs;
        while (!deliveryState().quiet && Date.now() < until) await sleep(10);
        return json(200, deliveryState());
      },
    },
    {
      method: 'GET',
      path: '/simulator/events',
      handle: ({ query }) => {
        const { after, limit } = read(pageSchema, Object.fromEntries(query));
        const logged = stores.events.list(after, limit);
        const events: unknown[] = logged.map(({ body }) => JSON.parse(body));
        return json(200, { events, next: logged.at(-1)?.number ?? after });
      },
    },
  ];
}

function settingsOf({ settings, clock, visibility }: WorldParts): Record<string, unknown> {
  return { ...settings, clockFactor: clock.factor(), readLagMs: visibility.lagMs() };
}

function summary(parts: WorldParts, deliveries: Record<string, unknown>): Record<string, unknown> {
  const { directory, gladlyUrl, stores, clock } = parts;
  return {
    organization: { ...directory.organization, gladlyUrl: gladlyUrl() },
    now: new Date(clock.now()).toISOString(),
    settings: settingsOf(parts),
    counts: { ...stores.conversations.counts(), customers: stores.customers.count(), events: stores.events.count() },
    deliveries: { ...deliveries, byState: stores.deliveries.counts() },
    webhooks: stores.webhooks.list().map(toPublic),
  };
}
