import { hash } from 'node:crypto';
import type { EventOutcome } from '../ledger/settle.ts';
import { type Instant, jsonbText, storableText, storableTime } from '../values.ts';

/** A conversation's own fields, in Gladly's words. What Gladly did not send is undefined. */
export interface ConversationFields {
  readonly customerId?: string | undefined;
  readonly status?: string | undefined;
  readonly createdAt?: string | undefined;
  readonly closedAt?: string | undefined;
  readonly inboxId?: string | undefined;
  readonly agentId?: string | undefined;
  readonly topicIds?: readonly string[] | undefined;
  readonly customAttributes?: readonly unknown[] | undefined;
}

/** A conversation item: what people query, and all that Gladly sent beside it. */
export interface ItemFields {
  readonly id: string;
  readonly customerId: string | null;
  readonly timestamp: Instant | null;
  readonly type: string | null;
  readonly initiatorType: string | null;
  readonly initiatorId: string | null;
  readonly responderType: string | null;
  readonly responderId: string | null;
  readonly direction: string | null;
  readonly channel: string | null;
  readonly subject: string | null;
  readonly text: string | null;
  /** How many. */
  readonly attachments: number;
  readonly sessionId: string | null;
  readonly raw: unknown;
}

/** One reading of a conversation and its items. */
export interface ReadConversation {
  readonly conversation: ConversationFields;
  readonly raw: unknown;
  readonly items: readonly ItemFields[];
  /** Gladly has more items than it returned. */
  readonly limited: boolean;
  /** Gladly's clock; null when it did not say, and then the reading counts as the newest. */
  readonly readAt: Date | null;
}

/** What there is to write about one conversation, all of it or nothing. */
export interface ConversationWrite {
  readonly conversationId: string;
  /** Null when it was not read: the events are covered by an earlier reading, or only items were read. */
  readonly reading: ReadConversation | null;
  /** Items that were read one by one. */
  readonly items: readonly ItemFields[];
  /** Gladly says that the conversation does not exist (any more). */
  readonly conversationGone?: boolean;
  /** Waiting events that are done. */
  readonly extracted: readonly string[];
  readonly gone: readonly { readonly eventId: string; readonly reason: string }[];
  readonly rejected: readonly { readonly eventId: string; readonly reason: string }[];
  /** Events that stay, and wait for another look; their attempts count. */
  readonly later: { readonly eventIds: readonly string[]; readonly inMs: number } | null;
}

/** JSON as jsonb takes it, and a digest of it that tells whether it changed. */
export interface StoredJson {
  readonly json: string;
  readonly digest: string;
}

/** 128 bits are plenty to tell two versions of one object apart. */
export function storedJson(value: unknown): StoredJson {
  const json = jsonbText(value);
  return { json, digest: hash('sha256', json, 'base64url').slice(0, 22) };
}

export interface ItemRow extends StoredJson {
  readonly conversationId: string;
  readonly item: ItemFields;
}

/** The items of one conversation, each once: what was read for itself is newer than the list. */
export function itemRows({ conversationId, reading, items }: ConversationWrite): readonly ItemRow[] {
  const unique = new Map([...(reading?.items ?? []), ...items].map((item) => [item.id, item]));
  return [...unique.values()].map((item) => ({ conversationId, item, ...storedJson(item.raw) }));
}

export function outcomes({ extracted, gone, rejected }: ConversationWrite): readonly EventOutcome[] {
  return [
    ...extracted.map((eventId): EventOutcome => ({ eventId, state: 'extracted' })),
    ...gone.map((verdict): EventOutcome => ({ ...verdict, state: 'gone' })),
    ...rejected.map((verdict): EventOutcome => ({ ...verdict, state: 'rejected' })),
  ];
}

/** Columns of `items` after its key, in the order of ITEM_COLUMNS. */
export function itemColumns(rows: readonly ItemRow[]): readonly (readonly (string | number | null)[])[] {
  const texts = (of: (item: ItemFields) => string | null) => rows.map(({ item }) => storableText(of(item)));
  return [
    rows.map(({ conversationId }) => conversationId),
    rows.map(({ item }) => item.id),
    texts((item) => item.type),
    rows.map(({ item }) => storableTime(item.timestamp)),
    texts((item) => item.initiatorType),
    texts((item) => item.initiatorId),
    texts((item) => item.responderType),
    texts((item) => item.responderId),
    texts((item) => item.direction),
    texts((item) => item.channel),
    texts((item) => item.subject),
    texts((item) => item.text),
    rows.map(({ item }) => item.attachments),
    texts((item) => item.sessionId),
    texts((item) => item.customerId),
    rows.map(({ json }) => json),
    rows.map(({ digest }) => digest),
  ];
}
