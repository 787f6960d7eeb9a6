import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import pino from 'pino';
import { z } from 'zod';
import { createClock } from './clock.ts';
import { lifeRoutes } from './control/life.ts';
import { peopleRoutes } from './control/people.ts';
import { createRuns } from './control/runs.ts';
import { trafficRoutes } from './control/traffic.ts';
import { worldRoutes } from './control/world.ts';
import { createCouriers } from './delivery/couriers.ts';
import { createPinger } from './delivery/ping.ts';
import { createPoster } from './delivery/post.ts';
import { createPublisher } from './delivery/publisher.ts';
import { openOrganization } from './founding.ts';
import { startHousekeeping } from './housekeeping.ts';
import { createEmitter } from './life/emitter.ts';
import { createExtras } from './life/extras.ts';
import { createLife } from './life/life.ts';
import { createPace } from './life/pace.ts';
import type { SimulatorOptions } from './options.ts';
import { demoCredentials } from './organization.ts';
import { createCalls } from './rest/calls.ts';
import { conversationRoutes } from './rest/conversations.ts';
import { customerRoutes } from './rest/customers.ts';
import { directoryRoutes } from './rest/directory.ts';
import { eventRoutes } from './rest/events.ts';
import { exportRoutes } from './rest/exports.ts';
import { createFaults } from './rest/faults.ts';
import { mediaRoutes } from './rest/media.ts';
import { createQuota } from './rest/quota.ts';
import { reportRoutes } from './rest/reports.ts';
import { webhookRoutes } from './rest/webhooks.ts';
import { startServer } from './server.ts';
import { DEFAULT_SETTINGS, type Settings } from './settings.ts';
import { openDatabase } from './store/database.ts';
import { createStores } from './store/stores.ts';
import { createTimeline } from './timestamps.ts';
import { createVisibility } from './visibility.ts';

export type { SimulatorOptions } from './options.ts';
export { demoCredentials } from './organization.ts';

export type Simulator = {
  /** Without a slash at the end: the API is at `${url}/api/v1`, the control API at `${url}/simulator`. */
  url: string;
  /** Ends life, deliveries and connections; what was pending is sent by the next start. */
  close(): Promise<void>;
};

const anchorSchema = z.object({ simulatedAt: z.number(), realAt: z.number(), factor: z.number() });
const newId = (): string => randomBytes(16).toString('base64url');

/**
 * Starts a Gladly to develop and test against.
 * @throws SimulatorStateError when its folder cannot be used; the server's own error when the port is taken.
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const closers: Closer[] = [];
  const close = async (): Promise<void> => {
    // The last that was opened first.
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    return { url: await start(options, closers), close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Closer = () => unknown;

/** Puts the parts together. What has to be closed again is added to `closers` as soon as it is open. */
async function start(options: SimulatorOptions, closers: Closer[]): Promise<string> {
  const { dataDir = null, seed = 'gladly', clockFactor = 1, allowHttpWebhooks = false } = options;
  const log = options.log ?? pino({ level: 'silent' });
  const settings = chooseSettings(options);
  const closing = new AbortController();

  const database = openDatabase(dataDir === null ? null : join(dataDir, 'simulator'));
  closers.push(() => database.close());
  const stores = createStores(database);
  const founded = { simulatedAt: Date.now() + (options.clockOffsetMs ?? 0), realAt: Date.now(), factor: clockFactor };
  const clock = createClock(stores.meta.get('clock', anchorSchema) ?? founded);
  clock.setFactor(clockFactor);
  const keepClock = (): void => stores.meta.set('clock', clock.anchor());
  keepClock();

  const visibility = createVisibility();
  visibility.setLag(options.readLagMs ?? 0);
  const liveConversations = options.liveConversations ?? 40;
  const directory = openOrganization(stores, clock, visibility, {
    seed,
    adminEmail: options.adminEmail ?? demoCredentials(seed).email,
    customers: options.customers ?? 40,
    conversations: options.conversations ?? 30,
    liveConversations,
  });

  const poster = createPoster();
  closers.push(poster.close);
  const couriers = createCouriers({ stores, clock, poster, settings, log });
  closers.push(couriers.stop);
  const pinger = createPinger(poster, stores.deliveries, clock, settings, newId);
  const publisher = createPublisher(stores, clock, settings);
  const timeline = createTimeline(clock.now);
  const lifeOptions = {
    seed,
    liveTarget: liveConversations,
    legacyEvents: () => settings.legacyEvents,
    newLagMs: () => settings.newLagMs,
  };
  const life = createLife(stores, directory, publisher, timeline, visibility, lifeOptions);
  const emitter = createEmitter(database, life, publisher, couriers, closing.signal);
  const pace = createPace(settings, emitter, log);
  closers.push(pace.stop);
  const extras = createExtras(seed, stores, directory, publisher, timeline);
  const faults = createFaults();
  const calls = createCalls();
  closers.push(startHousekeeping(stores, clock, options.deliveryLogSize ?? 200_000, log));
  const gladlyUrl = (): string => options.gladlyUrl ?? server.url;
  const settingsChanged = (): void => {
    keepClock();
    couriers.wake();
    pace.update();
  };

  const server = await startServer({
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    api: {
      settings,
      routes: [
        ...directoryRoutes(directory, stores.users, gladlyUrl),
        ...conversationRoutes(stores.conversations, visibility),
        ...mediaRoutes(stores.conversations, visibility),
        ...customerRoutes(stores.customers),
        ...eventRoutes(stores.events, clock, settings),
        ...reportRoutes(stores.conversations),
        ...exportRoutes(),
        ...webhookRoutes({
          webhooks: stores.webhooks,
          couriers,
          pinger,
          clock,
          settings,
          allowHttp: allowHttpWebhooks,
          newId,
        }),
      ],
      users: stores.users,
      clock,
      quota: createQuota(settings),
      faults,
      calls,
      closing: closing.signal,
      log,
    },
    control: [
      ...worldRoutes({ directory, gladlyUrl, stores, clock, couriers, visibility, settings, life, settingsChanged }),
      ...lifeRoutes({ stores, emitter, extras, life, runs: createRuns(emitter) }),
      ...peopleRoutes(stores.users),
      ...trafficRoutes(faults, calls),
    ],
    log,
  });
  // First of all when closing: answers and emissions that wait give up.
  closers.push(server.close, () => closing.abort());
  pace.update();
  return server.url;
}

/** The given settings over the defaults. */
function chooseSettings(options: SimulatorOptions): Settings {
  const defaults = DEFAULT_SETTINGS;
  return {
    rate: options.rate ?? defaults.rate,
    quotaPerSecond: options.quotaPerSecond === undefined ? defaults.quotaPerSecond : options.quotaPerSecond,
    quotaWindow: options.quotaWindow ?? defaults.quotaWindow,
    eventsLagSeconds: options.eventsLagSeconds ?? defaults.eventsLagSeconds,
    legacyEvents: options.legacyEvents ?? defaults.legacyEvents,
    deliveryTimeoutMs: options.deliveryTimeoutMs ?? defaults.deliveryTimeoutMs,
    deliveriesInFlight: options.deliveriesInFlight ?? defaults.deliveriesInFlight,
    deliveryJitterMs: options.deliveryJitterMs ?? defaults.deliveryJitterMs,
    pingBody: options.pingBody ?? defaults.pingBody,
    nodeClocksMs: defaults.nodeClocksMs,
    newLagMs: defaults.newLagMs,
    rivalPerSecond: defaults.rivalPerSecond,
  };
}
