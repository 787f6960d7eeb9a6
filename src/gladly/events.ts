import { isId } from './ids.ts';
import { isObject, type JsonObject, textOr } from './json.ts';

/** What a webhook delivery turns out to be. Each of them is answered with 200: an authenticated delivery is never refused. */
export type ParsedEvent =
  /** Gladly's test call when a webhook is enabled or its URL changes. Nothing else is published about it (gladly.md 1.2). */
  | { readonly kind: 'ping' }
  | ConversationEvent
  /** A type we know that is about no conversation: an agent's status, a finished export. */
  | { readonly kind: 'other'; readonly eventId: string; readonly type: string; readonly timestamp: string }
  /** A type we do not know, with what it says about a conversation. */
  | (Omit<ConversationEvent, 'kind' | 'conversationId'> & {
      readonly kind: 'unknown';
      readonly conversationId?: string;
    })
  | { readonly kind: 'not_json' }
  | { readonly kind: 'not_event'; readonly reason: NotEventReason };

export interface ConversationEvent {
  readonly kind: 'conversation';
  readonly eventId: string;
  readonly type: string;
  /** RFC 3339: when Gladly recorded it. */
  readonly timestamp: string;
  readonly conversationId: string;
  readonly customerId?: string;
  /** The item it is about: the message or the note. */
  readonly itemId?: string;
}

export type NotEventReason = 'no object' | 'no type' | 'no id' | 'no timestamp' | 'no content' | 'no conversation id';

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

/**
 * Reads one delivery. Checked by hand and not by a schema: this runs for each webhook call and for hundreds of rows a
 * transaction. It costs 1.4 µs, half of them the one JSON.parse (`npm run bench`).
 */
export function parseEvent(text: string): ParsedEvent {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return { kind: 'not_json' };
  }
  if (!isObject(raw)) return notEvent('no object');
  const type = idOr(raw['type']);
  if (type === undefined) return notEvent('no type');
  if (type === 'PING') return { kind: 'ping' };
  const eventId = idOr(raw['id']);
  if (eventId === undefined) return notEvent('no id');
  const timestamp = textOr(raw['timestamp']);
  if (timestamp === undefined || Number.isNaN(Date.parse(timestamp))) return notEvent('no timestamp');
  const content = raw['content'];
  if (!isObject(content)) return notEvent('no content');
  return ofKind({ eventId, type, timestamp }, content);
}

function ofKind(envelope: { eventId: string; type: string; timestamp: string }, content: JsonObject): ParsedEvent {
  // After a merge the conversation that took the other one in has changed.
  const conversationId = idOr(content['conversationId']) ?? idOr(content['destinationConversationId']);
  const about = envelope.type.slice(0, envelope.type.indexOf('/'));
  if (conversationId === undefined) {
    if (ABOUT_CONVERSATIONS.has(about)) return notEvent('no conversation id');
    return { kind: ABOUT_OTHERS.has(about) ? 'other' : 'unknown', ...envelope };
  }
  const known = ABOUT_CONVERSATIONS.has(about) || ABOUT_OTHERS.has(about);
  const customerId = idOr(content['customerId']) ?? idOr(content['destinationCustomerId']);
  const itemId = idOr(content['messageId']) ?? idOr(content['noteId']) ?? idOr(content['conversationItemId']);
  return {
    kind: known ? 'conversation' : 'unknown',
    ...envelope,
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
