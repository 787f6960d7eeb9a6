import { hash } from 'node:crypto';
import { eventFacts } from '../gladly/event-facts.ts';
import { decodeDelivery } from '../queue/envelope.ts';
import type { ReceivedMessage } from '../queue/receiver.ts';
import type { NewEvent } from '../store/ledger/take-in.ts';

export interface QueuedEvent {
  readonly row: NewEvent;
  /** The type of the event is not known to this code. */
  readonly unknownType: boolean;
}

/**
 * What a message of a tenant's queue means for the ledger; null when nothing of it belongs there (a PING). A message that is no delivery of ours
 * becomes a rejected event that keeps its text, so that it is seen and holds up nothing. Does not throw.
 */
export function queuedEvent({ body: text, sentAt }: Pick<ReceivedMessage, 'body' | 'sentAt'>): QueuedEvent | null {
  const delivery = decodeDelivery(text);
  if (delivery === null) {
    const row = { ...NO_FACTS, eventId: `sha256:${hash('sha256', text)}`, receivedAt: new Date(sentAt), body: text };
    return { row, unknownType: false };
  }
  const facts = eventFacts(delivery.body);
  if (facts === null) return null;
  const { unknownType, ...event } = facts;
  const row: NewEvent = { ...event, receivedAt: new Date(delivery.acceptedAt), way: 'queue', body: delivery.body };
  return { row, unknownType };
}

/**
 * What the body of an event of the ledger means by today's code; null when nothing of it belongs there. One that was no delivery of ours is kept as the
 * message that it came in.
 */
export function readAnew(body: Buffer): Omit<NewEvent, 'receivedAt' | 'way' | 'body'> | null {
  const facts = eventFacts(decodeDelivery(body.toString())?.body ?? body);
  if (facts === null) return null;
  const { unknownType: _, ...event } = facts;
  return event;
}

const NO_FACTS = {
  type: null,
  conversationId: null,
  itemId: null,
  customerId: null,
  eventAt: null,
  way: 'queue',
  state: 'rejected',
  reason: 'not_a_delivery',
} as const;
