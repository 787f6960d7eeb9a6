import type { Item } from '../contracts/reading.ts';
import { type Drift, driftName, unknownFields } from './drift.ts';
import { isObject, type JsonObject, textOr } from './json.ts';

/** The types of gladly.md 2.3. The channel has another name than the type where Gladly's events call it differently. */
const CHANNEL_BY_TYPE: Readonly<Record<string, string | null>> = {
  CHAT_MESSAGE: 'CHAT',
  EMAIL: 'EMAIL',
  SMS: 'SMS',
  FACEBOOK_MESSAGE: 'FB_MESSENGER',
  WHATSAPP: 'WHATSAPP',
  INSTAGRAM_DIRECT: 'INSTAGRAM_DIRECT',
  TWITTER: 'TWITTER',
  PHONE_CALL: 'PHONE_CALL',
  VOICEMAIL: 'VOICEMAIL',
  VOICE_AI_MESSAGE: 'PHONE_CALL',
  CONVERSATION_NOTE: null,
  CUSTOMER_ACTIVITY: null,
  TOPIC_CHANGE: null,
  CONVERSATION_STATUS_CHANGE: null,
  TASK: null,
};

// A custom channel's messages have no type of their own but TEXT or FILES, and their texts one level deeper.
const CUSTOM_CHANNEL_TYPES = new Set(['TEXT', 'FILES']);

/** Whose message goes which way. INTERNAL and EXTERNAL are third parties who wrote to the organization (gladly.md 7.7). */
const DIRECTIONS: ReadonlyMap<string, 'inbound' | 'outbound'> = new Map([
  ['CUSTOMER', 'inbound'],
  ['INTERNAL', 'inbound'],
  ['EXTERNAL', 'inbound'],
  ['AGENT', 'outbound'],
  ['API', 'outbound'],
  ['AUTOMATION', 'outbound'],
  ['SYSTEM', 'outbound'],
]);
const FIELDS = new Set([
  'id',
  'customerId',
  'conversationId',
  'sessionId',
  'timestamp',
  'initiator',
  'responder',
  'content',
  'attachments',
]);

/** The item and how it differs from what we know. Null when it has no id: then it cannot be stored or found again. */
export function readItem(raw: unknown): { readonly item: Item; readonly drift: Drift } | null {
  if (!isObject(raw)) return null;
  const id = textOr(raw['id']);
  if (id === undefined) return null;

  const drift = unknownFields('item', raw, FIELDS);
  const content = isObject(raw['content']) ? raw['content'] : {};
  const type = textOr(content['type']) ?? null;
  const channel = channelOf(type, content, drift);
  const initiator = partyOf(raw['initiator'], drift);
  const responder = partyOf(raw['responder'], drift);
  return {
    item: {
      id,
      conversationId: textOr(raw['conversationId']) ?? null,
      customerId: textOr(raw['customerId']) ?? null,
      timestamp: timeOf(raw['timestamp'], drift),
      type,
      initiatorType: initiator.type,
      initiatorId: initiator.id,
      responderType: responder.type,
      responderId: responder.id,
      direction: channel === null ? null : (DIRECTIONS.get(initiator.type ?? '') ?? null),
      channel,
      subject: textOr(content['subject']) ?? textOr(content['title']) ?? null,
      text: bodyOf(content),
      attachments: countOf(raw['attachments']) + countOf(content['attachments']) + countOf(nested(content)['files']),
      sessionId: textOr(raw['sessionId']) ?? textOr(content['sessionId']) ?? null,
      raw,
    },
    drift,
  };
}

function channelOf(type: string | null, content: JsonObject, drift: string[]): string | null {
  if (type === null) {
    drift.push('item.missing:content.type');
    return null;
  }
  if (Object.hasOwn(CHANNEL_BY_TYPE, type)) return CHANNEL_BY_TYPE[type] ?? null;
  if (CUSTOM_CHANNEL_TYPES.has(type) && textOr(content['customChannelId'])) return 'CUSTOM_CHANNEL';
  drift.push(driftName('item.type', type));
  return null;
}

function partyOf(raw: unknown, drift: string[]): { type: string | null; id: string | null } {
  if (!isObject(raw)) return { type: null, id: null };
  const type = textOr(raw['type']) ?? null;
  if (type !== null && !DIRECTIONS.has(type)) drift.push(driftName('item.party', type));
  return { type, id: textOr(raw['id']) ?? null };
}

function timeOf(raw: unknown, drift: string[]): string | null {
  const text = textOr(raw);
  if (text !== undefined && !Number.isNaN(Date.parse(text))) return text;
  drift.push('item.missing:timestamp');
  return null;
}

/** Messages say `content`, notes and activities `body`, custom channels `content.text` or the caption of their files. */
function bodyOf(content: JsonObject): string | null {
  const custom = nested(content);
  return (
    textOr(content['content']) ?? textOr(content['body']) ?? textOr(custom['text']) ?? textOr(custom['caption']) ?? null
  );
}

const nested = (content: JsonObject): JsonObject => (isObject(content['content']) ? content['content'] : {});

const countOf = (value: unknown): number => (Array.isArray(value) ? value.length : 0);
