import type { Assignee, Conversation, GladlyEvent, Item, Party, Topic } from '../model.ts';
import type { Instant, Timeline } from '../timestamps.ts';
import { writeText } from '../words.ts';
import {
  buildActivity,
  buildCall,
  buildItem,
  buildMessage,
  buildVoiceAiMessage,
  buildVoicemail,
  type Cast,
  messageChannel,
} from './items.ts';
import type { Plot, Step } from './plot.ts';

/** What a step changes, and the one event that tells of it. */
export type Outcome = {
  conversation: Conversation;
  plot: Plot;
  items: Item[];
  event: GladlyEvent;
  at: Instant;
};

type Change = {
  type: string;
  content: Record<string, unknown>;
  initiator?: Party;
  conversation?: Conversation;
  plot?: Plot;
  items?: Item[];
};

const SYSTEM: Party = { id: 'routing', type: 'SYSTEM' };

/** Assignments by hand and by rules, out of the reasons of gladly.md 1.2. */
const ASSIGNMENT_REASONS = [
  'AUTOMATED_ASSIGNMENT',
  'CONTACT_OFFERED',
  'MANUAL',
  'CONTACT_INBOUND',
  'REROUTED_UNASSIGN',
];

/** Lets one step happen. Pure but for the random numbers and times it draws. */
export function performStep(step: Step, cast: Cast, timeline: Timeline): Outcome {
  const change = CHANGES[step.kind](cast, timeline);
  const at = timeline.next(cast.random);
  const event: GladlyEvent = {
    id: cast.random.id(),
    type: change.type,
    timestamp: at.text,
    ...(change.initiator === undefined ? {} : { initiator: change.initiator }),
    content: change.content,
  };
  return {
    conversation: change.conversation ?? cast.conversation,
    plot: change.plot ?? cast.plot,
    items: change.items ?? [],
    event,
    at,
  };
}

const CHANGES: Record<Step['kind'], (cast: Cast, timeline: Timeline) => Change> = {
  created: (cast) => ({ type: 'CONVERSATION/CREATED', initiator: customerOf(cast), content: withContext(cast) }),

  contactStarted: (cast) => ({
    type: 'CONTACT/STARTED',
    initiator: customerOf(cast),
    content: { channel: cast.plot.channel, contactId: cast.plot.contactId, ...withContext(cast) },
  }),

  received: (cast, timeline) => {
    const before = cast.random.chance(0.04) ? [buildActivity(cast, timeline.next(cast.random))] : [];
    const message = buildMessage(cast, timeline.next(cast.random), customerOf(cast));
    return {
      type: 'CONTACT/MESSAGE_RECEIVED',
      initiator: customerOf(cast),
      content: messageContent(cast, messageChannel(cast.plot.channel), cast.plot.contactId, message.id),
      items: [...before, message],
      plot: { ...cast.plot, lastMessageId: message.id },
    };
  },

  voicemail: (cast, timeline) => {
    const voicemail = buildVoicemail(cast, timeline.next(cast.random));
    return {
      type: 'CONTACT/MESSAGE_RECEIVED',
      initiator: customerOf(cast),
      content: messageContent(cast, 'VOICEMAIL', cast.random.id(), voicemail.id),
      items: [voicemail],
    };
  },

  // content.conversationItemId instead of messageId, and no customerId is known (gladly.md 1.2).
  legacyReceived: (cast) => ({
    type: 'MESSAGE/RECEIVED',
    initiator: customerOf(cast),
    content: { conversationId: cast.conversation.id, conversationItemId: cast.plot.lastMessageId },
  }),

  sent: (cast, timeline) => {
    const agent = agentOf(cast);
    const message = buildMessage(cast, timeline.next(cast.random), agent);
    return {
      type: 'CONTACT/MESSAGE_SENT',
      initiator: agent,
      content: messageContent(cast, messageChannel(cast.plot.channel), cast.plot.contactId, message.id),
      items: [message],
    };
  },

  assigned: (cast) => {
    const { conversation, directory, random } = cast;
    const agentId = random.pick(directory.agentIds.filter((id) => id !== conversation.agentId));
    const moves = random.chance(0.25);
    const inboxId = random.pick(directory.inboxes.filter((inbox) => !inbox.disabled)).id;
    const reason = random.pick(ASSIGNMENT_REASONS);
    const { agentId: _, ...rest } = conversation;
    const unassigned = { ...rest, inboxId: moves ? inboxId : conversation.inboxId };
    const assigned = reason === 'REROUTED_UNASSIGN' ? unassigned : { ...unassigned, agentId };
    return {
      type: 'CONVERSATION_ASSIGNEE/UPDATED',
      initiator: reason === 'MANUAL' ? agentOf(cast) : SYSTEM,
      content: { reason, assignee: assigneeOf(assigned), ...withContext(cast) },
      conversation: assigned,
    };
  },

  noted: (cast, timeline) => {
    const agent = agentOf(cast);
    const spoken = cast.plot.channel === 'PHONE_CALL' && cast.random.chance(0.2);
    const before = spoken ? [buildVoiceAiMessage(cast, timeline.next(cast.random))] : [];
    const content = { type: 'CONVERSATION_NOTE', body: writeText(cast.random, 'note') };
    const note = buildItem(cast, timeline.next(cast.random), agent, content);
    return {
      type: 'CONVERSATION/NOTE_CREATED',
      initiator: agent,
      content: { noteId: note.id, ...idsOf(cast) },
      items: [...before, note],
    };
  },

  topicAdded: (cast, timeline) => {
    const present = cast.conversation.topicIds ?? [];
    const topic = cast.random.pick<Topic>(
      cast.directory.topics.filter(({ id, disabled }) => !disabled && !present.includes(id)),
    );
    return changeTopics(cast, timeline, [...present, topic.id], 'ADDED', topic.id);
  },

  topicRemoved: (cast, timeline) => {
    const present = cast.conversation.topicIds ?? [];
    const topicId = cast.random.pick(present);
    return changeTopics(
      cast,
      timeline,
      present.filter((id) => id !== topicId),
      'REMOVED',
      topicId,
    );
  },

  attributeAdded: (cast) => {
    const attribute = { id: cast.directory.customAttributeId, value: `AB-${cast.random.int(1000, 9999)}` };
    const attributes = [...(cast.conversation.customAttributes ?? []), attribute];
    return changeAttributes(cast, attributes, 'ADDED', attribute);
  },

  attributeRemoved: (cast) => {
    const attributes = cast.conversation.customAttributes ?? [];
    const removed = cast.random.pick(attributes);
    return changeAttributes(
      cast,
      attributes.filter((attribute) => attribute !== removed),
      'REMOVED',
      removed,
    );
  },

  // Prose says that the timeline records WAITING too, the schema does not (gladly.md 2.3): seldom, here.
  waiting: (cast, timeline) => changeStatus(cast, timeline, 'WAITING', 0.1),
  opened: (cast, timeline) => changeStatus(cast, timeline, 'OPEN', 0.3),
  closedStatus: (cast, timeline) => changeStatus(cast, timeline, 'CLOSED', 1),

  // CLOSED and its status event come in either order; the first of them finds the conversation closed already.
  closed: (cast, timeline) => {
    const { conversation, items } = setStatus(cast, timeline, 'CLOSED', 1);
    return { type: 'CONVERSATION/CLOSED', initiator: agentOf(cast), content: withContext(cast), conversation, items };
  },

  contactEnded: (cast, timeline) => {
    const { conversation, plot, random } = cast;
    const content = {
      channel: plot.channel,
      contactId: plot.contactId,
      status: 'ANSWERED',
      reason: 'CONVERSATION_CLOSED',
    };
    const change = { type: 'CONTACT/ENDED', initiator: agentOf(cast), content: { ...content, ...withContext(cast) } };
    if (plot.channel !== 'PHONE_CALL') return change;
    const call = buildCall(cast, timeline.next(random), conversation.agentId);
    const pending = JSON.stringify(call.content['recordingSummary']).includes('PENDING');
    return { ...change, items: [call], plot: pending ? { ...plot, pendingSummaryItemId: call.id } : plot };
  },

  reopened: (cast, timeline) => {
    const { conversation, items } = setStatus(cast, timeline, 'OPEN', 1);
    const plot = { ...cast.plot, contactId: cast.random.id(), channel: messageChannel(cast.plot.channel) };
    const content = withContext(cast);
    return { type: 'CONVERSATION/REOPENED', initiator: customerOf(cast), content, conversation, items, plot };
  },
};

function changeTopics(
  cast: Cast,
  timeline: Timeline,
  topicIds: string[],
  what: 'ADDED' | 'REMOVED',
  topicId: string,
): Change {
  const agent = agentOf(cast);
  const key = what === 'ADDED' ? 'addedTopicIds' : 'removedTopicIds';
  const item = buildItem(cast, timeline.next(cast.random), agent, { type: 'TOPIC_CHANGE', [key]: [topicId] });
  const { topicIds: _, ...rest } = cast.conversation;
  const conversation = topicIds.length === 0 ? rest : { ...rest, topicIds };
  const content = { topicId, ...withContext(cast) };
  return { type: `CONVERSATION/TOPIC_${what}`, initiator: agent, content, conversation, items: [item] };
}

type Attribute = { id: string; value: string };

function changeAttributes(cast: Cast, all: Attribute[], what: 'ADDED' | 'REMOVED', { id, value }: Attribute): Change {
  const { customAttributes: _, ...rest } = cast.conversation;
  return {
    type: `CONVERSATION/CUSTOM_ATTRIBUTE_${what}`,
    initiator: agentOf(cast),
    content: { ...idsOf(cast), customAttributeId: id, customAttributeKey: 'campaign', customAttributeValue: value },
    conversation: all.length === 0 ? rest : { ...rest, customAttributes: all },
  };
}

/** CONVERSATION_STATUS/UPDATED carries neither the status nor who changed it (gladly.md 1.2). */
function changeStatus(cast: Cast, timeline: Timeline, status: Conversation['status'], itemChance: number): Change {
  const { conversation, items } = setStatus(cast, timeline, status, itemChance);
  return { type: 'CONVERSATION_STATUS/UPDATED', content: idsOf(cast), conversation, items };
}

function setStatus(
  cast: Cast,
  timeline: Timeline,
  status: Conversation['status'],
  itemChance: number,
): { conversation: Conversation; items: Item[] } {
  const { conversation, random } = cast;
  if (conversation.status === status) return { conversation, items: [] };
  const at = timeline.next(random);
  const { closedAt: _, ...rest } = conversation;
  const changed = { ...rest, status };
  const content = { type: 'CONVERSATION_STATUS_CHANGE', status };
  const item = buildItem(cast, at, status === 'OPEN' ? customerOf(cast) : agentOf(cast), content);
  const items = random.chance(itemChance) ? [item] : [];
  return { conversation: status === 'CLOSED' ? { ...changed, closedAt: at.text } : changed, items };
}

function messageContent(cast: Cast, channel: string, contactId: string, messageId: string): Record<string, unknown> {
  return { channel, contactId, messageId, ...withContext(cast) };
}

function idsOf({ conversation }: Cast): Record<string, unknown> {
  return { customerId: conversation.customerId, conversationId: conversation.id };
}

/** The ids, and the state immediately before the event (gladly.md 1.1). */
function withContext(cast: Cast): Record<string, unknown> {
  return { ...idsOf(cast), context: { assignee: assigneeOf(cast.conversation) } };
}

function assigneeOf({ inboxId, agentId }: Conversation): Assignee {
  return agentId === undefined ? { inboxId } : { inboxId, agentId };
}

function customerOf({ conversation }: Cast): Party {
  return { id: conversation.customerId, type: 'CUSTOMER' };
}

function agentOf({ conversation, directory, random }: Cast): Party {
  return { id: conversation.agentId ?? random.pick(directory.agentIds), type: 'AGENT' };
}
