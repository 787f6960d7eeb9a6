import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { SUBSCRIBABLE_EVENTS } from '../../../simulator/event-types.ts';
import type { SimulatorOptions } from '../../../simulator/options.ts';
import { demoCredentials, type Simulator, startSimulator } from '../../../simulator/simulator.ts';

export type Reply = { status: number; headers: Headers; text: string; json: unknown };
export type Credentials = { email: string; apiToken: string };

const summarySchema = z.looseObject({
  organization: z.looseObject({ id: z.string(), loginDomain: z.string() }),
  now: z.string(),
  settings: z.looseObject({ clockFactor: z.number() }),
  counts: z.object({
    conversations: z.number(),
    live: z.number(),
    items: z.number(),
    customers: z.number(),
    events: z.number(),
  }),
});
const emittedSchema = z.object({
  run: z.number(),
  deliveries: z.number(),
  events: z.array(z.object({ id: z.string(), type: z.string(), conversationId: z.string(), webhooks: z.number() })),
});
const attemptSchema = z.object({
  at: z.string(),
  status: z.number().nullable(),
  error: z.string().optional(),
  tookMs: z.number(),
});
const deliveriesSchema = z.object({
  deliveries: z.array(
    z.object({
      number: z.number(),
      eventId: z.string(),
      type: z.string(),
      webhookId: z.string(),
      state: z.string(),
      attempts: z.array(attemptSchema),
      nextAttemptAt: z.string().optional(),
    }),
  ),
  next: z.number(),
});
const dumpSchema = z.object({
  conversation: z.looseObject({ id: z.string(), customerId: z.string(), status: z.string() }),
  items: z.array(
    z.looseObject({ id: z.string(), timestamp: z.string(), content: z.looseObject({ type: z.string() }) }),
  ),
});
const settledSchema = z.object({
  settled: z.boolean(),
  quiet: z.boolean(),
  inFlight: z.number(),
  due: z.number(),
  pending: z.number(),
});

export type Gladly = ReturnType<typeof connect>;

/** A simulator of its own for one test, without quota unless asked for; closed when the test ends. */
export async function startGladly(options: SimulatorOptions = {}): Promise<Gladly> {
  const simulator = await startSimulator({
    quotaPerSecond: null,
    allowHttpWebhooks: true,
    eventsLagSeconds: 0,
    customers: 5,
    conversations: 0,
    ...options,
  });
  let open = true;
  const close = async (): Promise<void> => {
    if (open) await simulator.close();
    open = false;
  };
  onTestFinished(close);
  return connect(simulator, options.seed ?? 'gladly', close);
}

/** The clients a test needs: Gladly's API as the demo user, and the control API. */
export function connect(simulator: Pick<Simulator, 'url'>, seed: string, close: () => Promise<void>) {
  const credentials = demoCredentials(seed);

  async function api(method: string, path: string, body?: unknown, as: Credentials = credentials): Promise<Reply> {
    const pair = Buffer.from(`${as.email}:${as.apiToken}`).toString('base64');
    return call(method, `/api/v1${path}`, body, { authorization: `Basic ${pair}` });
  }

  async function call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Reply> {
    const payload = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
    const response = await fetch(`${simulator.url}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      redirect: 'manual',
      ...payload,
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parse(text) };
  }

  async function control<T>(schema: z.ZodType<T>, method: string, path: string, body?: unknown): Promise<T> {
    const reply = await call(method, `/simulator${path}`, body);
    if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${reply.text}`);
    return schema.parse(reply.json);
  }

  return {
    url: simulator.url,
    credentials,
    close,
    api,
    call,
    control,
    summary: () => control(summarySchema, 'GET', ''),
    set: (settings: object) => control(z.unknown(), 'PATCH', '/settings', settings),
    emit: (request: object) => control(emittedSchema, 'POST', '/emit', request),
    deliveries: async (query = '') => (await control(deliveriesSchema, 'GET', `/deliveries?${query}`)).deliveries,
    settled: (waitMs = 20_000) => control(settledSchema, 'GET', `/deliveries/settled?waitMs=${waitMs}`),
    quiet: (waitMs = 20_000) => control(settledSchema, 'GET', `/deliveries/quiet?waitMs=${waitMs}`),
    dump: (conversationId: string) => control(dumpSchema, 'GET', `/conversations/${conversationId}`),
    fault: (request: object) => control(z.looseObject({ id: z.string() }), 'POST', '/faults', request),
    /** Creates a webhook for all events, and returns its id. */
    subscribe: async (url: string, fields: object = {}): Promise<string> => {
      const reply = await api('POST', '/webhooks', { url, events: SUBSCRIBABLE_EVENTS, enabled: true, ...fields });
      const id = reply.headers.get('location')?.split('/').at(-1);
      if (reply.status !== 201 || id === undefined) throw new Error(`webhook: ${reply.status} ${reply.text}`);
      return id;
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
