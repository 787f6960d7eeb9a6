import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { type ParsedEvent, parseEvent } from './events.ts';

/** What the ledger records of a delivery besides its body. */
export interface EventFacts {
  readonly eventId: string;
  readonly type: string | null;
  readonly conversationId: string | null;
  readonly customerId: string | null;
  readonly itemId: string | null;
  /** Gladly's own time; null when the body has none that can be read. */
  readonly eventAt: Date | null;
  /**
   * `rejected`: it cannot be understood, so it is set aside at once, with the reason. `ignored`: it is about no conversation, so there is nothing to
   * read in Gladly for it.
   */
  readonly state: 'waiting' | 'rejected' | 'ignored';
  readonly reason: SetAsideReason | null;
  /** The type is not known to this code: counted as drift. */
  readonly unknownType: boolean;
  /** The customer that is no more, and a conversation of theirs. */
  readonly merge?: { readonly customerId: string; readonly conversationId: string | null };
}

export type SetAsideReason =
  | 'not_json'
  | 'not_an_event'
  | 'not_about_a_conversation'
  | 'customer_merged'
  | 'unknown_type';

/** What this body means for the ledger; null for a PING, which is no event. A body without an id of its own is known by its hash. */
export function eventFacts(body: Buffer): EventFacts | null {
  const event: ParsedEvent = isUtf8(body) ? parseEvent(body.toString()) : { kind: 'not_json' };
  switch (event.kind) {
    case 'ping':
      return null;
    case 'not_json':
      return nameless(body, 'not_json');
    case 'several':
    case 'not_event':
      return nameless(body, 'not_an_event');
    default: {
      const conversationId = event.kind === 'other' ? null : (event.conversationId ?? null);
      const unknownType = event.kind === 'unknown';
      // The event itself is done then: what is to be read is each conversation of that customer.
      const named = unknownType ? 'unknown_type' : 'not_about_a_conversation';
      const without = event.merge ? 'customer_merged' : named;
      return {
        eventId: event.eventId ?? hashOf(body),
        type: event.type,
        conversationId,
        customerId: event.kind === 'other' ? null : (event.customerId ?? null),
        itemId: event.kind === 'other' ? null : (event.itemId ?? null),
        eventAt: event.timestamp === null ? null : new Date(event.timestamp),
        state: conversationId === null ? 'ignored' : 'waiting',
        reason: conversationId === null ? without : null,
        unknownType,
        ...(event.merge ? { merge: event.merge } : {}),
      };
    }
  }
}

function nameless(body: Buffer, reason: SetAsideReason): EventFacts {
  return {
    eventId: hashOf(body),
    type: null,
    conversationId: null,
    customerId: null,
    itemId: null,
    eventAt: null,
    state: 'rejected',
    reason,
    unknownType: false,
  };
}

const hashOf = (body: Buffer): string => `sha256:${createHash('sha256').update(body).digest('hex')}`;
