import { isId } from './ids.ts';
import { isObject, type JsonObject, textOr } from './json.ts';

/** What a webhook delivery turns out to be. Each of them is answered with 200: an authenticated delivery is never refused. */
export type ParsedEvent =
  /** Gladly's test call when a webhook is enabled or its URL changes. Nothing else is published about it (gladly.md 1.2). */
  | { readonly kind: 'ping' }
  | ConversationEvent
  /** A type we know that is about no conversation: an agent's status, a finished export. */
  | ({ readonly kind: 'other' } & Envelope)
  /** A type we do not know, with what it says about a conversation. */
  | (Omit<ConversationEvent, 'kind' | 'conversationId'> & {
      readonly kind: 'unknown';
      readonly conversationId?: string;
    })
  /** Several of them in an array, which Gladly does not send; a relay may. `arrayElements` takes them apart. */
  | { readonly kind: 'several' }
  | { readonly kind: 'not_json' }
  | { readonly kind: 'not_event'; readonly reason: NotEventReason };

/** What an event says of itself. Only its type has to be there: what cannot be done without is the conversation. */
interface Envelope {
  /** Null when it has none that can be kept: then its body is what it is known by. */
  readonly eventId: string | null;
  readonly type: string;
  /** RFC 3339: when Gladly recorded it. Null when it says nothing that can be read. */
  readonly timestamp: string | null;
  /** Tells that a customer was merged into another one, and names the one that is no more. */
  readonly merge?: Merge;
}

interface Merge {
  readonly customerId: string;
  /** Only where it had an open conversation (gladly.md 7.7). */
  readonly conversationId: string | null;
}

export interface ConversationEvent extends Envelope {
  readonly kind: 'conversation';
  readonly conversationId: string;
  readonly customerId?: string;
  /** The item it is about: the message or the note. */
  readonly itemId?: string;
}

export type NotEventReason = 'no object' | 'no type' | 'no content' | 'no conversation id';

/** The ten events of Gladly's set-up article (gladly.md 1.6). */
export const SUBSCRIBED_EVENTS = [
  'CONVERSATION/CREATED',
  'CONVERSATION/CLOSED',
  'CONVERSATION/NOTE_CREATED',
  'CONVERSATION/TOPIC_ADDED',
  'CONVERSATION/TOPIC_REMOVED',
  'CONVERSATION_ASSIGNEE/UPDATED',
  'CONTACT/MESSAGE_SENT',
  'CONTACT/MESSAGE_RECEIVED',
  'MESSAGE/RECEIVED',
  'CONVERSATION_STATUS/UPDATED',
] as const;

/** Left from earlier years: in Gladly's own list of events no more (gladly.md 1.2), but an old webhook may still send it. */
export const LEGACY_EVENT = 'MESSAGE/RECEIVED';

/** Tells that all conversations of a customer are another one's (gladly.md 1.2). Not of the article's ten, and rare: nothing waits for it. */
export const MERGE_EVENT = 'CUSTOMER/MERGED';

// What comes before the slash tells what an event is about (gladly.md 1.4). AUTOMATION and CUSTOM_CHANNEL are of the OpenAPI of 2025 (gladly.md 1.2).
const ABOUT_CONVERSATIONS = new Set([
  'CONVERSATION',
  'CONVERSATION_ASSIGNEE',
  'CONVERSATION_STATUS',
  'CONTACT',
  'MESSAGE',
]);
const ABOUT_OTHERS = new Set([
  'AGENT_AVAILABILITY',
  'AGENT_STATUS',
  'CUSTOMER',
  'CUSTOMER_PROFILE',
  'EXPORT_JOB',
  'PAYMENT_REQUEST',
  'TASK',
]);

/** Objects of an array that count as events. The largest body has room for some 600 of Gladly's (gladly.md 1.1). */
const MOST_AT_ONCE = 1_000;

/**
 * Reads one delivery. Checked by hand and not by a schema: this runs for each webhook call and for hundreds of rows a
 * transaction. It costs 1.4 µs, half of them the one JSON.parse (`npm run bench`).
 */
export function parseEvent(text: string): ParsedEvent {
  let raw: unknown;
  try {
    // A byte order mark is no part of the JSON (RFC 8259, 8.1: may be ignored).
    raw = JSON.parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text);
  } catch {
    return { kind: 'not_json' };
  }
  if (Array.isArray(raw)) return isEvents(raw) ? { kind: 'several' } : notEvent('no object');
  if (!isObject(raw)) return notEvent('no object');
  const type = idOr(raw['type']);
  if (type === undefined) return notEvent('no type');
  if (type === 'PING') return { kind: 'ping' };
  const content = raw['content'];
  if (!isObject(content)) return notEvent('no content');
  return ofKind({ eventId: eventIdOr(raw['id']), type, timestamp: timestampOr(raw['timestamp']) }, content);
}

/** The exact text of each element of a JSON array. `text` must be valid JSON. */
export function arrayElements(text: string): string[] {
  const found: string[] = [];
  let start = text.indexOf('[') + 1;
  let depth = 0;
  let isQuoted = false;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (isQuoted) {
      if (character === '\\') at += 1;
      else if (character === '"') isQuoted = false;
    } else if (character === '"') isQuoted = true;
    else if (character === '{' || character === '[') depth += 1;
    else if (depth > 0 && (character === '}' || character === ']')) depth -= 1;
    else if (depth === 0 && (character === ',' || character === ']')) {
      found.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  return found;
}

const isEvents = (values: readonly unknown[]): boolean =>
  values.length > 0 && values.length <= MOST_AT_ONCE && values.every(isObject);

/** A number is as good as a text, as long as it is one number for each id. */
const eventIdOr = (value: unknown): string | null =>
  typeof value === 'number' ? (Number.isSafeInteger(value) ? String(value) : null) : (idOr(value) ?? null);

/** RFC 3339, or a number of seconds or milliseconds since 1970. */
function timestampOr(value: unknown): string | null {
  const given = typeof value === 'string' && /^\d{9,13}$/.test(value) ? Number(value) : value;
  if (typeof given === 'string') return Number.isNaN(Date.parse(given)) ? null : given;
  if (typeof given !== 'number') return null;
  const at = new Date(Math.abs(given) < FIRST_MILLISECONDS ? given * 1_000 : given);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}

const BYTE_ORDER_MARK = '\uFEFF';
/** In milliseconds the year 1973, in seconds 5138: what is smaller are seconds. */
const FIRST_MILLISECONDS = 100_000_000_000;

function ofKind(envelope: Envelope, content: JsonObject): ParsedEvent {
  const sourceConversationId = idOr(content['sourceConversationId']);
  // After a merge the conversation that took the other one in has changed, and all of the customer that is no more.
  const conversationId =
    idOr(content['conversationId']) ?? idOr(content['destinationConversationId']) ?? sourceConversationId;
  const about = envelope.type.slice(0, envelope.type.indexOf('/'));
  const sourceCustomerId = envelope.type.endsWith('/MERGED') ? idOr(content['sourceCustomerId']) : undefined;
  const merge =
    sourceCustomerId === undefined
      ? {}
      : { merge: { customerId: sourceCustomerId, conversationId: sourceConversationId ?? null } };
  if (conversationId === undefined) {
    if (ABOUT_CONVERSATIONS.has(about)) return notEvent('no conversation id');
    return { kind: ABOUT_OTHERS.has(about) ? 'other' : 'unknown', ...envelope, ...merge };
  }
  const known = ABOUT_CONVERSATIONS.has(about) || ABOUT_OTHERS.has(about);
  const customerId = idOr(content['customerId']) ?? idOr(content['destinationCustomerId']);
  const itemId = idOr(content['messageId']) ?? idOr(content['noteId']) ?? idOr(content['conversationItemId']);
  return {
    kind: known ? 'conversation' : 'unknown',
    ...envelope,
    ...merge,
    conversationId,
    ...(customerId === undefined ? {} : { customerId }),
    ...(itemId === undefined ? {} : { itemId }),
  };
}

/** An id that can be stored and sent in a path. */
function idOr(value: unknown): string | undefined {
  const id = textOr(value);
  return id !== undefined && isId(id) ? id : undefined;
}

const notEvent = (reason: NotEventReason): ParsedEvent => ({ kind: 'not_event', reason });
