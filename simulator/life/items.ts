import type { Channel, Conversation, Customer, Directory, Item, ItemContent, Party } from '../model.ts';
import type { Random } from '../random.ts';
import { type Instant, inOffsetForm } from '../timestamps.ts';
import { writeText } from '../words.ts';
import type { Plot } from './plot.ts';

/** What an item is made from. */
export type Cast = {
  directory: Directory;
  customer: Customer;
  conversation: Conversation;
  plot: Plot;
  random: Random;
};

export type MessageChannel = Exclude<Channel, 'PHONE_CALL'>;

/** A caller who comes back writes an SMS. */
export function messageChannel(channel: Channel): MessageChannel {
  return channel === 'PHONE_CALL' ? 'SMS' : channel;
}

export function buildItem(cast: Cast, at: Instant, initiator: Party, content: ItemContent): Item {
  const { conversation, random } = cast;
  // One in fifty in the offset form: "occasionally" (gladly.md 2.4).
  const timestamp = random.chance(0.02) ? inOffsetForm(at.text, -7) : at.text;
  return {
    id: random.id(),
    customerId: conversation.customerId,
    conversationId: conversation.id,
    timestamp,
    initiator,
    content,
  };
}

/** A message on the conversation's channel, in the shapes of gladly.md 2.3. */
export function buildMessage(cast: Cast, at: Instant, initiator: Party): Item {
  const { plot, random } = cast;
  const inbound = ['CUSTOMER', 'INTERNAL', 'EXTERNAL'].includes(initiator.type);
  const content = writeText(random, inbound ? 'customer' : 'agent');
  const channel = messageChannel(plot.channel);
  const item = buildItem(cast, at, initiator, messageContent(cast, channel, inbound, content));
  const carriesFile = channel === 'EMAIL' && inbound && random.chance(0.1);
  if (!carriesFile) return item;
  const photo = {
    id: random.id(),
    contentType: 'image/jpeg',
    filename: 'photo.jpg',
    fileSize: random.int(20_000, 4e6),
  };
  return { ...item, attachments: [photo] };
}

function messageContent(cast: Cast, channel: MessageChannel, inbound: boolean, content: string): ItemContent {
  const { customer, directory, plot, random } = cast;
  const phones = [customer.phones[0]?.normalized ?? '+12015550100', directory.companyPhone] as const;
  const mails = [
    customer.emails[0]?.normalized ?? 'nobody@mail.example',
    `care@${directory.organization.loginDomain}`,
  ] as const;
  const [from, to] = inbound ? [0, 1] : [1, 0];
  switch (channel) {
    case 'CHAT':
      // messageType is marked as required, but absent in Gladly's own examples (gladly.md 2.3).
      return random.chance(0.15)
        ? { type: 'CHAT_MESSAGE', sessionId: plot.sessionId, content }
        : { type: 'CHAT_MESSAGE', sessionId: plot.sessionId, content, messageType: 'TEXT' };
    case 'EMAIL': {
      // Live exports hold mails without a subject (gladly.md 2.3).
      const subject = random.chance(0.05) ? {} : { subject: writeText(random, 'subject') };
      return { type: 'EMAIL', from: mails[from] ?? '', to: [mails[to] ?? ''], cc: [], bcc: [], ...subject, content };
    }
    case 'SMS':
      return { type: 'SMS', from: phones[from] ?? '', to: phones[to] ?? '', content };
    case 'FB_MESSENGER':
      // The channel's name in events differs from the item's type (gladly.md 2.3).
      return { type: 'FACEBOOK_MESSAGE', pageId: directory.facebookPageId, userId: customer.id.slice(0, 12), content };
    case 'WHATSAPP':
    case 'INSTAGRAM_DIRECT':
      return { type: channel, content };
  }
}

/** A call that has just ended. Its summary is still being written in half of the cases. */
export function buildCall(cast: Cast, at: Instant, agentId: string | undefined): Item {
  const { customer, directory, random } = cast;
  const seconds = random.int(20, 900);
  const before = (s: number): string => new Date(at.ms - s * 1000).toISOString();
  const summaryReady = random.chance(0.5);
  const summary = summaryReady
    ? { status: 'READY', summary: writeText(random, 'summary'), language: 'en' }
    : { status: 'PENDING' };
  const item = buildItem(
    cast,
    at,
    { id: customer.id, type: 'CUSTOMER' },
    {
      type: 'PHONE_CALL',
      from: customer.phones[0]?.normalized ?? '+12015550100',
      to: directory.companyPhone,
      startedAt: before(seconds + 9),
      answeredAt: before(seconds),
      completedAt: at.text,
      ...recording(random, seconds),
      recordingSummary: summary,
    },
  );
  const withUrl = withRecordingUrl(item);
  return agentId === undefined ? withUrl : { ...withUrl, responder: { id: agentId, type: 'AGENT' } };
}

export function buildVoicemail(cast: Cast, at: Instant): Item {
  const { customer, random } = cast;
  const content = { type: 'VOICEMAIL', startedAt: at.text, ...recording(random, random.int(5, 120)) };
  return withRecordingUrl(buildItem(cast, at, { id: customer.id, type: 'CUSTOMER' }, content));
}

/** Something another system put on the timeline; no event tells of it. Its id is the caller's own (gladly.md 1.2). */
export function buildActivity(cast: Cast, at: Instant): Item {
  const { random } = cast;
  const item = buildItem(
    cast,
    at,
    { id: 'order-system', type: 'API' },
    {
      type: 'CUSTOMER_ACTIVITY',
      title: 'Order shipped',
      body: writeText(random, 'note'),
      activityType: random.pick(['EMAIL', 'ISSUE', 'SMS', 'SURVEY']),
      sourceName: 'Warehouse',
      link: { url: 'https://warehouse.example/orders', text: 'View order' },
      occurredAt: at.text,
      receivedAt: at.text,
    },
  );
  return { ...item, id: `order-shipped.${item.id}` };
}

/** An item type that came in 2026 (gladly.md 2.3): clients must live with types they do not know. */
export function buildVoiceAiMessage(cast: Cast, at: Instant): Item {
  const { directory, random } = cast;
  return buildItem(
    cast,
    at,
    { id: 'SIDEKICK_V2', type: 'SYSTEM' },
    {
      type: 'VOICE_AI_MESSAGE',
      companyNumber: directory.companyPhone,
      body: writeText(random, 'agent'),
      status: random.pick(['PLAYED', 'INTERRUPTED']),
    },
  );
}

/** The summary of a call, written since. */
export function withReadySummary(item: Item, random: Random): Item {
  const recordingSummary = { status: 'READY', summary: writeText(random, 'summary'), language: 'en' };
  return { ...item, content: { ...item.content, recordingSummary } };
}

function recording(random: Random, seconds: number): Record<string, unknown> {
  const status = random.pick(['AVAILABLE', 'AVAILABLE', 'AVAILABLE', 'AVAILABLE', 'DELETED', 'ERROR']);
  if (status !== 'AVAILABLE') return { recordingStatus: status };
  // A number by the schema, a string in one of Gladly's examples (gladly.md 2.3).
  return { recordingStatus: status, recordingDuration: random.chance(0.2) ? String(seconds) : seconds };
}

function withRecordingUrl(item: Item): Item {
  if (item.content['recordingStatus'] !== 'AVAILABLE') return item;
  const recordingUrl = `/api/v1/conversation-items/${item.id}/media/recording`;
  return { ...item, content: { ...item.content, recordingUrl } };
}
