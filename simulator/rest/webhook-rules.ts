import { z } from 'zod';
import { LEGACY_MESSAGE_RECEIVED, SUBSCRIBABLE_EVENTS } from '../event-types.ts';
import type { Webhook } from '../store/webhooks.ts';
import type { ApiError } from './answer.ts';

/** What a client may send. Read-only and unknown fields are ignored, as v1 may grow (gladly.md 1.2). */
const inputSchema = z.object({
  name: z.unknown().optional(),
  events: z.unknown().optional(),
  url: z.unknown().optional(),
  credentials: z.unknown().optional(),
  headers: z.unknown().optional(),
  enabled: z.unknown().optional(),
});

const credentialsSchema = z.object({ username: z.string(), password: z.string(), realm: z.string().optional() });
const headersSchema = z.record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/), z.string());

/** The part of a webhook that a request sets. `credentials: null` takes them away. */
export type WebhookChange = {
  name?: string;
  events?: string[];
  url?: string;
  credentials?: Webhook['credentials'] | null;
  headers?: Record<string, string>;
  enabled?: boolean;
};

export type WebhookRules = { allowHttp: boolean; legacyEvents: boolean };

/** Reads a request body; all that is wrong with it is listed, by field. Rules: gladly.md 1.3 and 1.4. */
export function readWebhookChange(body: unknown, rules: WebhookRules): { change: WebhookChange; problems: ApiError[] } {
  const parsed = inputSchema.safeParse(body);
  if (!parsed.success)
    return { change: {}, problems: [{ code: 'invalid', detail: 'request body must be a JSON object' }] };
  const input = parsed.data;
  const change: WebhookChange = {};
  const problems: ApiError[] = [];
  const invalid = (attr: string, detail: string): void => void problems.push({ attr, code: 'invalid', detail });

  if (input.name !== undefined) {
    if (typeof input.name !== 'string') invalid('name', 'name must be a string');
    else if (input.name.length > 200) {
      problems.push({ attr: 'name', code: 'too_long', detail: 'name cannot be longer than 200 characters' });
    } else change.name = input.name;
  }
  if (input.events !== undefined) {
    const events = z.array(z.string()).min(1).safeParse(input.events);
    if (!events.success) invalid('events', 'events must be a list of event types');
    else {
      const unknown = events.data.filter((type) => !isSubscribable(type, rules));
      for (const type of unknown) invalid('events', `[${type}] is not a valid event`);
      if (unknown.length === 0) change.events = [...new Set(events.data)];
    }
  }
  if (input.url !== undefined) {
    const problem = urlProblem(input.url, rules);
    if (problem !== undefined) problems.push(problem);
    else change.url = String(input.url);
  }
  if (input.credentials !== undefined) {
    const credentials = credentialsSchema.nullable().safeParse(input.credentials);
    if (!credentials.success) invalid('credentials', 'username and password must be specified');
    else change.credentials = credentials.data;
  }
  if (input.headers !== undefined) {
    const headers = headersSchema.safeParse(input.headers);
    if (!headers.success) invalid('headers', 'headers must be an object of header names and values');
    else change.headers = headers.data;
  }
  if (input.enabled !== undefined) {
    if (typeof input.enabled !== 'boolean') invalid('enabled', 'enabled must be a boolean');
    else change.enabled = input.enabled;
  }
  return { change, problems };
}

function isSubscribable(type: string, rules: WebhookRules): boolean {
  return SUBSCRIBABLE_EVENTS.includes(type) || (rules.legacyEvents && type === LEGACY_MESSAGE_RECEIVED);
}

function urlProblem(url: unknown, rules: WebhookRules): ApiError | undefined {
  if (typeof url !== 'string' || url === '') return { attr: 'url', code: 'blank', detail: 'url cannot be blank' };
  const parsed = URL.parse(url);
  const allowed = rules.allowHttp ? ['https:', 'http:'] : ['https:'];
  if (parsed !== null && allowed.includes(parsed.protocol)) return undefined;
  return { attr: 'url', code: 'invalid', detail: 'url must be a valid HTTPS URL' };
}
