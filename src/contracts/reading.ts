/*
 * A reading of one conversation, on its way from Gladly's answer into the store: each shape once, for the client that makes it, the drain that decides
 * about it and the store that writes it.
 */

/** A conversation item: the columns that people query, and beside them everything Gladly sent. */
export interface Item {
  readonly id: string;
  /** As the item names it; the conversation that was asked for is what counts. */
  readonly conversationId: string | null;
  readonly customerId: string | null;
  /** RFC 3339, as Gladly sent it (0 to 9 digits of a second). */
  readonly timestamp: string | null;
  /** `content.type`: EMAIL, CONVERSATION_NOTE ...; kept as it is when unknown. */
  readonly type: string | null;
  readonly initiatorType: string | null;
  readonly initiatorId: string | null;
  readonly responderType: string | null;
  readonly responderId: string | null;
  /** Direction of messages and calls; null for notes, changes, and when no initiator is named, or one of an unknown kind. */
  readonly direction: 'inbound' | 'outbound' | null;
  /** In the words of the webhook events: CHAT, EMAIL, FB_MESSENGER ...; null for what is no message or call. */
  readonly channel: string | null;
  readonly subject: string | null;
  /** What was said or written. */
  readonly text: string | null;
  /** How many. */
  readonly attachments: number;
  readonly sessionId: string | null;
  readonly raw: unknown;
}

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

/** One reading of a conversation and its items. */
export interface Reading {
  readonly conversation: ConversationFields;
  readonly raw: unknown;
  readonly items: readonly Item[];
  /** Gladly has more items than the 1,000 that it returned. */
  readonly limited: boolean;
  /** When the reading began, by our clock: to be shown, and compared with nothing. */
  readonly readAt: Date;
}

/** An event of the ledger that waits for its conversation to be read. */
export interface WaitingEvent {
  readonly eventId: string;
  readonly type: string | null;
  readonly itemId: string | null;
  readonly customerId: string | null;
  /** When the webhook endpoint accepted it, by its own clock: to be shown, and to decide nothing. */
  readonly receivedAt: Date;
  /** Looks that did not find what it is about. */
  readonly attempts: number;
  /** Milliseconds since the first of these looks, by Postgres's clock; null before it. */
  readonly missingMs: number | null;
  /** The customer that the conversation should not have any more: they were merged into another one. */
  readonly formerCustomerId?: string | null;
}

export interface EventVerdict {
  readonly eventId: string;
  /** A code of ours, or a problem's. */
  readonly reason: string;
}

/** What a reading came to: what to store of the conversation, and what becomes of each of its waiting events. */
export interface ConversationResult {
  readonly conversationId: string;
  /** Null when it was not read as a whole. */
  readonly reading: Reading | null;
  /** Items that were read one by one. */
  readonly items: readonly Item[];
  /** Gladly says that there is no such conversation (any more). */
  readonly conversationGone: boolean;
  readonly extracted: readonly string[];
  readonly gone: readonly EventVerdict[];
  readonly rejected: readonly EventVerdict[];
  /** Events that wait for another look, how long, in ms, and why; their attempts count. */
  readonly later: { readonly eventIds: readonly string[]; readonly inMs: number; readonly reason: string } | null;
  /** The conversation goes on under this id: there these events are to be read. */
  readonly moved: { readonly to: string; readonly eventIds: readonly string[] } | null;
  /** The reading failed: when to try again, in ms, and why it did; the conversation's attempts count. */
  readonly failed: { readonly inMs: number; readonly reason: string } | null;
  /** Names of what Gladly sent that is not known. */
  readonly drift: readonly string[];
}

/** A result in which nothing was read and nothing changes. */
export function nothing(conversationId: string): ConversationResult {
  return {
    conversationId,
    reading: null,
    items: [],
    conversationGone: false,
    extracted: [],
    gone: [],
    rejected: [],
    later: null,
    moved: null,
    failed: null,
    drift: [],
  };
}
