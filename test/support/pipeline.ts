import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { openDb } from '../../src/store/db.ts';

/** Where a running instance is. */
export interface Places {
  readonly api: string;
  readonly simulator: string;
  readonly databaseUrl: string;
  readonly operatorKey: string;
}

/** The places of a world that `main.ts dev` runs in this folder. `databaseUrl`: of a Postgres that the world was given. */
export function placesOf(dataDir: string, databaseUrl?: string): Places {
  const read = (name: string): unknown => JSON.parse(readFileSync(join(dataDir, name), 'utf8'));
  const run = z.record(z.string(), z.object({ url: z.string().optional() })).parse(read('run/run.json'));
  const url = (part: string): string => {
    const found = run[part]?.url;
    if (found === undefined) throw new Error(`run.json does not say where ${part} is`);
    return found;
  };
  const { operatorKey } = z.object({ operatorKey: z.string() }).parse(read('keys.json'));
  return { api: url('api'), simulator: url('simulator'), databaseUrl: databaseUrl ?? url('postgres'), operatorKey };
}

const extraction = z.object({ state: z.string(), since: z.string(), pause: z.unknown(), problem: z.unknown() }).loose();
const status = z.object({
  connection: z.string(),
  /** What keeps states from being known: null when nothing does. */
  out: z.string().nullable(),
  onboarding: z.object({ state: z.string() }).loose().nullable(),
  extraction: extraction.nullable(),
  events: z
    .object({
      inQueue: z.number().nullable(),
      inDeadLetterQueue: z.number().nullable(),
      waiting: z.number(),
      extracted: z.number(),
      gone: z.number(),
      rejected: z.number(),
    })
    .loose(),
});
export type Status = z.infer<typeof status>;

/** A page of what the simulator has sent. */
export const deliveries = z.object({
  deliveries: z.array(
    z.object({
      number: z.number(),
      eventId: z.string(),
      type: z.string(),
      state: z.string(),
      attempts: z.array(z.object({ status: z.number().nullish() }).loose()),
    }),
  ),
  next: z.number().nullish(),
});
export type Delivery = z.infer<typeof deliveries>['deliveries'][number];

const feedLine = z
  .object({
    cursor: z.string(),
    conversationId: z.string(),
    raw: z.unknown(),
    items: z.array(z.object({ itemId: z.string(), raw: z.unknown() }).loose()),
  })
  .loose();
export type FeedLine = z.infer<typeof feedLine>;

/** A running instance and its simulated Gladly, as a test uses them: over HTTP, and with SQL for what must be counted. */
export class Pipeline {
  readonly #places: () => Places;
  readonly tenantId: string;

  /** `places` is asked anew each time: a restart may move Postgres. */
  constructor(places: () => Places, tenantId = 'demo') {
    this.#places = places;
    this.tenantId = tenantId;
  }

  async ask(method: string, path: string, body?: unknown): Promise<{ status: number; text: string }> {
    const { api, operatorKey } = this.#places();
    return send(method, api + path, body, { authorization: `Bearer ${operatorKey}` });
  }

  async control<S extends z.ZodType>(method: string, path: string, body: unknown, schema: S): Promise<z.output<S>> {
    const { status: code, text } = await send(method, this.#places().simulator + path, body);
    if (code >= 400) throw new Error(`simulator: ${method} ${path}: ${code} ${text}`);
    return schema.parse(text === '' ? null : JSON.parse(text));
  }

  async status(): Promise<Status> {
    const { status: code, text } = await this.ask('GET', `/v1/tenants/${this.tenantId}`);
    if (code !== 200) throw new Error(`status: ${code} ${text}`);
    return status.parse(JSON.parse(text));
  }

  /** Waits until the status is as wanted; a status that does not answer (a restart) is asked again. */
  async when(what: string, wanted: (status: Status) => boolean, withinMs = 60_000): Promise<Status> {
    const end = performance.now() + withinMs;
    let last: unknown;
    for (;;) {
      try {
        const found = await this.status();
        if (wanted(found)) return found;
        last = found;
      } catch (error) {
        last = error;
      }
      if (performance.now() > end) {
        const said = last instanceof Error ? last.message : JSON.stringify(last);
        throw new Error(`${what}: not within ${withinMs} ms; last: ${said}`);
      }
      await sleep(100);
    }
  }

  async emit(count: number, options: object = {}): Promise<void> {
    await this.control('POST', '/simulator/emit', { count, onlySubscribed: true, ...options }, z.unknown());
  }

  /** All deliveries of events, PINGs left out. */
  async deliveries(): Promise<Delivery[]> {
    const all: Delivery[] = [];
    for (let after = 0; ; ) {
      const page = await this.control('GET', `/simulator/deliveries?after=${after}&limit=5000`, undefined, deliveries);
      all.push(...page.deliveries.filter(({ type }) => type !== 'PING'));
      const last = page.deliveries.at(-1);
      if (page.next == null || last === undefined) return all;
      after = page.next;
    }
  }

  /** Everything in the ledger, by event id. */
  async ledger(): Promise<Map<string, string>> {
    const db = openDb(this.#places().databaseUrl, { max: 1, name: 'test' });
    try {
      const { rows } = await db.query<{ id: string; state: string }>(
        'SELECT event_id AS id, state FROM events WHERE tenant_id = $1',
        [this.tenantId],
      );
      const ledger = new Map(rows.map(({ id, state }) => [id, state]));
      if (ledger.size !== rows.length) throw new Error('an event has two rows');
      return ledger;
    } finally {
      await db.close();
    }
  }

  /** The whole feed, each conversation in its newest state. */
  async feed(): Promise<Map<string, FeedLine>> {
    const found = new Map<string, FeedLine>();
    for (let after = '0'; ; ) {
      const path = `/v1/tenants/${this.tenantId}/conversations?after=${after}&limit=1000`;
      const { status: code, text } = await this.ask('GET', path);
      if (code !== 200) throw new Error(`feed: ${code} ${text}`);
      const lines = text.split('\n').filter((line) => line !== '');
      for (const line of lines) {
        const entry = feedLine.parse(JSON.parse(line));
        found.set(entry.conversationId, entry);
        after = entry.cursor;
      }
      if (lines.length < 1_000) return found;
    }
  }

  /** The conversation as the simulated Gladly has it: whole. */
  conversation(id: string) {
    const whole = z.object({ conversation: z.unknown(), items: z.array(z.object({ id: z.string() }).loose()) });
    return this.control('GET', `/simulator/conversations/${id}`, undefined, whole);
  }
}

async function send(method: string, url: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  });
  return { status: response.status, text: await response.text() };
}

/** What was delivered, held against what is stored. Empty lists mean: nothing lost, nothing doubled, nothing wrong. */
export interface Audit {
  readonly delivered: number;
  /** Delivered, and not in the ledger. */
  readonly lost: readonly string[];
  /** In the ledger, and never sent. */
  readonly invented: readonly string[];
  /** Conversations whose stored form is not the one Gladly has. */
  readonly wrong: readonly string[];
  readonly states: Readonly<Record<string, number>>;
}

/** What an audit leaves out. */
export interface Exemptions {
  /** Events that a test put into the queue itself. */
  readonly isPlanted?: (eventId: string) => boolean;
  /** Conversations whose events still wait, and so may be otherwise than in Gladly. */
  readonly pending?: ReadonlySet<string>;
}

/** Holds what the simulated Gladly delivered against ledger, conversations and items. Nothing may be changing meanwhile. */
export async function audit(pipeline: Pipeline, { isPlanted, pending }: Exemptions = {}): Promise<Audit> {
  const sent = (await pipeline.deliveries()).map(({ eventId, attempts }) => ({
    eventId,
    accepted: attempts.some(({ status: code }) => code != null && code >= 200 && code < 300),
  }));
  const delivered = new Set(sent.filter(({ accepted }) => accepted).map(({ eventId }) => eventId));
  const known = new Set(sent.map(({ eventId }) => eventId));
  const ledger = new Map([...(await pipeline.ledger())].filter(([id]) => isPlanted?.(id) !== true));
  const feed = await pipeline.feed();
  const wrong: string[] = [];
  for (const [id, stored] of feed) {
    const { conversation, items } = await pipeline.conversation(id);
    const mine = new Map(stored.items.map(({ itemId, raw }) => [itemId, raw]));
    const same =
      isEqual(stored.raw, conversation) &&
      items.length === mine.size &&
      items.every((item) => isEqual(item, mine.get(item.id)));
    if (!same && pending?.has(id) !== true) wrong.push(id);
  }
  const states: Record<string, number> = {};
  for (const state of ledger.values()) states[state] = (states[state] ?? 0) + 1;
  return {
    delivered: delivered.size,
    lost: [...delivered].filter((id) => !ledger.has(id)),
    invented: [...ledger.keys()].filter((id) => !known.has(id)),
    wrong,
    states,
  };
}

/** Postgres' jsonb orders keys in its own way. */
function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
