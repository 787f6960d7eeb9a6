import type { Publisher } from '../delivery/publisher.ts';
import { type Channel, type Directory, type GladlyEvent, itemSchema } from '../model.ts';
import { inventCustomer } from '../organization.ts';
import { createRandom, type Random } from '../random.ts';
import type { Stores } from '../store/stores.ts';
import type { Timeline } from '../timestamps.ts';
import { buildMessage } from './items.ts';

/** What happens outside a conversation's plot, on a test's request. Call it within a transaction. */
export type Extras = {
  /** An open conversation with `items` messages that no event tells of. It goes on when events are emitted for it. */
  addConversation(items: number, channel: Channel, customerId?: string): { id: string; customerId: string };
  /** An item that exists, but is not supported by the API (gladly.md 2.2): in no list, and 400 when asked for. */
  addUnsupportedItem(conversationId: string): string | undefined;
  /**
   * A mail of somebody who is neither customer nor agent (gladly.md 7.7): INTERNAL writes from the organization's own mail domain. The event
   * is that of any message that comes in.
   */
  addThirdPartyMail(
    conversationId: string,
    from: 'INTERNAL' | 'EXTERNAL',
  ): { itemId: string; eventId: string } | undefined;
  /** Merges two customers, each with a conversation: all of the source's goes to the destination. */
  mergeCustomers(sourceId: string, destinationId: string, options: MergeOptions): GladlyEvent | undefined;
  /** Gives a conversation another id; undefined when there is no such conversation. No event tells of it. */
  moveConversation(id: string): string | undefined;
};

export type MergeOptions = {
  /** false: the event names no conversation, as when none was open (gladly.md 7.7). */
  nameConversations: boolean;
};

export function createExtras(
  seed: string,
  stores: Stores,
  directory: Directory,
  publisher: Publisher,
  timeline: Timeline,
): Extras {
  const { conversations, customers } = stores;

  function addConversation(items: number, channel: Channel, customerId?: string): { id: string; customerId: string } {
    const random = nextRandom();
    const known = customerId === undefined ? undefined : customers.get(customerId)?.customer;
    const customer = known ?? addCustomer(random);
    const conversation = {
      id: random.id(),
      customerId: customer.id,
      createdAt: timeline.next(random).text,
      inboxId: random.pick(directory.inboxes.filter((inbox) => !inbox.disabled)).id,
      status: 'OPEN' as const,
    };
    const plot = { steps: [], channel, contactId: random.id(), sessionId: random.id() };
    conversations.save({ conversation, plot });
    const agentId = random.pick(directory.agentIds);
    for (let number = 0; number < items; number += 1) {
      const initiator = number % 2 === 0 ? { id: customer.id, type: 'CUSTOMER' } : { id: agentId, type: 'AGENT' };
      const cast = { directory, customer, conversation, plot, random };
      conversations.addItem(buildMessage(cast, timeline.next(random), initiator), true);
    }
    return { id: conversation.id, customerId: customer.id };
  }

  function addCustomer(random: Random): ReturnType<typeof inventCustomer>['customer'] {
    const { customer, updatedMs } = inventCustomer(random, timeline);
    customers.add(customer, updatedMs);
    return customer;
  }

  function nextRandom(): Random {
    return createRandom(seed, 'extra', stores.meta.increment('extras'));
  }

  return {
    addConversation,
    addUnsupportedItem: (conversationId) => {
      const stored = conversations.get(conversationId);
      if (stored === undefined) return undefined;
      const random = nextRandom();
      const { customerId } = stored.conversation;
      const item = itemSchema.parse({
        id: random.id(),
        customerId,
        conversationId,
        timestamp: timeline.next(random).text,
        content: { type: 'TASK' },
      });
      conversations.addItem(item, false);
      return item.id;
    },
    addThirdPartyMail: (conversationId, from) => {
      const stored = conversations.get(conversationId);
      const customer = stored && customers.get(stored.conversation.customerId)?.customer;
      if (stored === undefined || customer === undefined) return undefined;
      const { conversation, plot } = stored;
      const random = nextRandom();
      const cast = { directory, customer, conversation, plot: { ...plot, channel: 'EMAIL' as const }, random };
      const initiator = { id: random.id(), type: from };
      const item = buildMessage(cast, timeline.next(random), initiator);
      conversations.addItem(item, true);
      const { inboxId, agentId } = conversation;
      const at = timeline.next(random);
      const event: GladlyEvent = {
        id: random.id(),
        type: 'CONTACT/MESSAGE_RECEIVED',
        timestamp: at.text,
        initiator,
        content: {
          channel: 'EMAIL',
          contactId: plot.contactId,
          messageId: item.id,
          customerId: customer.id,
          conversationId,
          context: { assignee: agentId === undefined ? { inboxId } : { inboxId, agentId } },
        },
      };
      publisher.publish(event, at);
      return { itemId: item.id, eventId: event.id };
    },
    mergeCustomers: (sourceId, destinationId, { nameConversations }) => {
      const sourceConversationIds = conversations.idsOfCustomer(sourceId);
      const sourceConversationId = sourceConversationIds.at(-1);
      const destinationConversationId = conversations.idsOfCustomer(destinationId).at(-1);
      if (sourceConversationId === undefined || destinationConversationId === undefined) return undefined;
      const random = nextRandom();
      customers.merge(sourceId, destinationId);
      for (const id of sourceConversationIds) conversations.moveToCustomer(id, destinationId);
      const at = timeline.next(random);
      const event: GladlyEvent = {
        id: random.id(),
        type: 'CUSTOMER/MERGED',
        timestamp: at.text,
        initiator: { id: random.pick(directory.agentIds), type: 'AGENT' },
        content: {
          destinationCustomerId: destinationId,
          sourceCustomerId: sourceId,
          ...(nameConversations ? { destinationConversationId, sourceConversationId } : {}),
        },
      };
      publisher.publish(event, at);
      return event;
    },
    moveConversation: (id) => {
      const newId = nextRandom().id();
      return conversations.rename(id, newId) ? newId : undefined;
    },
  };
}
