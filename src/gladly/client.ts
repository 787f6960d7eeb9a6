import type { Item } from '../contracts/reading.ts';
import type { Connections } from './connect.ts';
import type { Drift } from './drift.ts';
import { GladlyError } from './errors.ts';
import type { GladlyHost } from './host.ts';
import { isId } from './ids.ts';
import { readItem } from './items.ts';
import type { Governor } from './quota.ts';
import { assertDone, headerOf, idInLocation, jsonOf, unexpected } from './replies.ts';
import type { Read, Reader } from './schemas.ts';
import * as schemas from './schemas.ts';
import { createTransport, type Limits, type Meter, type Outgoing, type Reply } from './transport.ts';

export interface ListAnswer<T> {
  readonly values: readonly T[];
  /** What Gladly sent, unknown fields and unusable entries included. */
  readonly raw: readonly unknown[];
  readonly drift: Drift;
}

export interface ItemsAnswer {
  /** Oldest first, at most 1,000. */
  readonly items: readonly Item[];
  /** Gladly has more items of this conversation than it returned: the newest are missing (gladly.md 2.2). */
  readonly limited: boolean;
  readonly drift: Drift;
}

export interface ItemAnswer {
  readonly item: Item;
  readonly drift: Drift;
}

export interface WebhookInput {
  readonly name: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  /** Gladly's own default is false; true makes it send a PING before it answers. */
  readonly enabled: boolean;
}

export interface ReportInput {
  readonly metricSet: string;
  /** YYYY-MM-DD, both inclusive. */
  readonly startAt: string;
  readonly endAt: string;
}

/**
 * One organization through one user's token. Every method throws GladlyError for whatever Gladly or the network does, and the
 * signal's reason when the caller gives up. Nothing is tried twice here: who calls knows how long to wait.
 */
export interface GladlyClient {
  readonly host: GladlyHost;
  getOrganization(signal?: AbortSignal): Promise<Read<schemas.Organization>>;
  listAgents(signal?: AbortSignal): Promise<ListAnswer<schemas.Agent>>;
  listInboxes(signal?: AbortSignal): Promise<ListAnswer<schemas.Inbox>>;
  listTeams(signal?: AbortSignal): Promise<ListAnswer<schemas.Team>>;
  listTopics(signal?: AbortSignal): Promise<ListAnswer<schemas.Topic>>;
  getConversation(id: string, signal?: AbortSignal, meter?: Meter): Promise<Read<schemas.Conversation>>;
  listConversationItems(conversationId: string, signal?: AbortSignal, meter?: Meter): Promise<ItemsAnswer>;
  getConversationItem(id: string, signal?: AbortSignal, meter?: Meter): Promise<ItemAnswer>;
  getNote(conversationId: string, noteId: string, signal?: AbortSignal, meter?: Meter): Promise<ItemAnswer>;
  listWebhooks(signal?: AbortSignal): Promise<ListAnswer<schemas.Webhook>>;
  getWebhook(id: string, signal?: AbortSignal): Promise<Read<schemas.Webhook>>;
  /** The id of the new webhook; null when Gladly did not say it (then it is in the list, under its URL). */
  createWebhook(input: WebhookInput, signal?: AbortSignal): Promise<{ readonly id: string | null }>;
  updateWebhook(id: string, change: Partial<WebhookInput>, signal?: AbortSignal): Promise<void>;
  /** Gladly answers 400 while the webhook is enabled: disable it first. */
  deleteWebhook(id: string, signal?: AbortSignal): Promise<void>;
  /** The report's CSV. Gladly allows 10 a minute, two at a time, and only for Administrators (gladly.md 2.4, 4). */
  createReport(input: ReportInput, signal?: AbortSignal): Promise<string>;
}

export interface GladlyClientOptions {
  readonly host: GladlyHost;
  readonly email: string;
  readonly apiToken: string;
  readonly governor: Governor;
  readonly connections: Connections;
  readonly limits?: Partial<Limits>;
}

/** The template by which a request for the items of a conversation is known. */
export const ITEMS_PATH = '/api/v1/conversations/{id}/items';

const LIMITS: Limits = {
  timeoutMs: 15_000, // our own choice: as long as Gladly grants our endpoint (gladly.md 1.3)
  // 1,000 items with long emails are a few MB; the 50 MB of a broken or hostile answer must not get into memory.
  maxBytes: 20_000_000,
};

// Gladly waits up to 15 s for our answer to its PING before it answers a webhook request itself (gladly.md 1.3).
const WEBHOOK_TIMEOUT_MS = 30_000;
// A report is made while we wait.
const REPORT_TIMEOUT_MS = 20_000;

export function createGladlyClient(options: GladlyClientOptions): GladlyClient {
  const { host } = options;
  const transport = createTransport({ ...options, limits: { ...LIMITS, ...options.limits } });

  async function done(outgoing: Outgoing, signal?: AbortSignal, meter?: Meter): Promise<Reply> {
    const reply = await transport(outgoing, signal, meter);
    assertDone(reply, host.origin);
    return reply;
  }

  /** Fills the placeholders of the template, in order. */
  function get(template: string, ...ids: readonly string[]): Outgoing {
    return { method: 'GET', template, path: fillPath(template, ids) };
  }

  function fillPath(template: string, ids: readonly string[], method = 'GET'): string {
    let next = 0;
    return template.replaceAll(/\{\w+\}/g, () => {
      const id = ids[next++] ?? '';
      if (!isId(id)) throw new GladlyError({ kind: 'invalid_id' }, { host: host.name, method, path: template });
      return encodeURIComponent(id);
    });
  }

  async function one<T>(read: Reader<T>, outgoing: Outgoing, signal?: AbortSignal, meter?: Meter): Promise<Read<T>> {
    const reply = await done(outgoing, signal, meter);
    const found = read(jsonOf(reply));
    if (!found) throw unexpected(reply);
    return found;
  }

  async function list<T>(read: Reader<T>, outgoing: Outgoing, signal?: AbortSignal): Promise<ListAnswer<T>> {
    const reply = await done(outgoing, signal);
    const raw = listOf(reply);
    const values: T[] = [];
    const drift = new Set<string>();
    for (const it of raw) {
      const found = read(it);
      if (found) values.push(found.value);
      for (const name of found?.drift ?? ['list.entry:without id']) drift.add(name);
    }
    return { values, raw, drift: [...drift] };
  }

  async function item(outgoing: Outgoing, signal?: AbortSignal, meter?: Meter): Promise<ItemAnswer> {
    const reply = await done(outgoing, signal, meter);
    const found = readItem(jsonOf(reply));
    if (!found) throw unexpected(reply);
    return found;
  }

  return {
    host,
    getOrganization: (signal) => one(schemas.readOrganization, get('/api/v1/organization'), signal),
    listAgents: (signal) => list(schemas.readAgent, get('/api/v1/agents'), signal),
    listInboxes: (signal) => list(schemas.readInbox, get('/api/v1/inboxes'), signal),
    listTeams: (signal) => list(schemas.readTeam, get('/api/v1/teams'), signal),
    listTopics: (signal) => list(schemas.readTopic, get('/api/v1/topics'), signal),
    getConversation: async (id, signal, meter) =>
      one(schemas.readConversation, get('/api/v1/conversations/{id}', id), signal, meter),
    getConversationItem: async (id, signal, meter) => item(get('/api/v1/conversation-items/{id}', id), signal, meter),
    getNote: async (conversationId, noteId, signal, meter) =>
      item(get('/api/v1/conversations/{id}/notes/{noteId}', conversationId, noteId), signal, meter),
    listWebhooks: (signal) => list(schemas.readWebhook, get('/api/v1/webhooks'), signal),
    getWebhook: async (id, signal) => one(schemas.readWebhook, get('/api/v1/webhooks/{id}', id), signal),

    listConversationItems: async (conversationId, signal, meter) => {
      const reply = await done(get(ITEMS_PATH, conversationId), signal, meter);
      const items: Item[] = [];
      const drift: string[] = [];
      for (const raw of listOf(reply)) {
        const found = readItem(raw);
        if (found) items.push(found.item);
        drift.push(...(found?.drift ?? ['item.missing:id']));
      }
      return { items, limited: isLimited(reply), drift };
    },

    createWebhook: async (input, signal) => {
      const template = '/api/v1/webhooks';
      const outgoing: Outgoing = {
        method: 'POST',
        template,
        path: template,
        body: input,
        timeoutMs: WEBHOOK_TIMEOUT_MS,
      };
      return { id: idInLocation(await done(outgoing, signal), host.origin) };
    },
    updateWebhook: async (id, change, signal) => {
      const template = '/api/v1/webhooks/{id}';
      const path = fillPath(template, [id], 'PATCH');
      await done({ method: 'PATCH', template, path, body: change, timeoutMs: WEBHOOK_TIMEOUT_MS }, signal);
    },
    deleteWebhook: async (id, signal) => {
      const template = '/api/v1/webhooks/{id}';
      await done({ method: 'DELETE', template, path: fillPath(template, [id], 'DELETE') }, signal);
    },

    createReport: async (input, signal) => {
      const template = '/api/v1/reports';
      const reply = await done(
        { method: 'POST', template, path: template, accept: 'text/csv', body: input, timeoutMs: REPORT_TIMEOUT_MS },
        signal,
      );
      if (!(headerOf(reply, 'content-type') ?? '').startsWith('text/csv')) throw unexpected(reply);
      return reply.text;
    },
  };
}

function listOf(reply: Reply): readonly unknown[] {
  const body = jsonOf(reply);
  if (!Array.isArray(body)) throw unexpected(reply);
  return body;
}

/** The header's exact value is not known (gladly.md 6.9): anything that does not deny it is taken for a yes. */
function isLimited(reply: Reply): boolean {
  const value = headerOf(reply, 'gladly-limited-data')?.trim().toLowerCase();
  return value !== undefined && !['', 'false', '0', 'no'].includes(value);
}
