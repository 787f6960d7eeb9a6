import { z } from 'zod';
import { type Channel, channelSchema } from '../model.ts';
import type { Random } from '../random.ts';

/** What can happen to a conversation. Each step sends exactly one event (steps.ts says which). */
const STEP_KINDS = [
  'created',
  'contactStarted',
  'received',
  'voicemail',
  'legacyReceived',
  'sent',
  'assigned',
  'noted',
  'topicAdded',
  'topicRemoved',
  'attributeAdded',
  'attributeRemoved',
  'waiting',
  'opened',
  'closedStatus',
  'closed',
  'contactEnded',
  'reopened',
] as const;

const stepSchema = z.object({
  kind: z.enum(STEP_KINDS),
  /** Happens at the same moment as the step before it: nothing of another conversation comes between. */
  together: z.literal(true).optional(),
});
export type Step = z.infer<typeof stepSchema>;

/** What is still going to happen to a conversation, and what the simulator must remember for it. */
export const plotSchema = z.object({
  steps: z.array(stepSchema),
  channel: channelSchema,
  contactId: z.string(),
  sessionId: z.string(),
  /** A phone call whose summary is still being written; it is ready at the next step. */
  pendingSummaryItemId: z.string().optional(),
  /** The customer's last message, which the legacy event names too. */
  lastMessageId: z.string().optional(),
});
export type Plot = z.infer<typeof plotSchema>;

/** How often a conversation starts on each channel, out of 100. Invented: chat and mail lead in customer service. */
const CHANNEL_WEIGHTS: readonly (readonly [Channel, number])[] = [
  ['CHAT', 30],
  ['EMAIL', 27],
  ['SMS', 14],
  ['PHONE_CALL', 11],
  ['WHATSAPP', 8],
  ['INSTAGRAM_DIRECT', 5],
  ['FB_MESSENGER', 5],
];

export function pickChannel(random: Random): Channel {
  let left = random.int(0, 99);
  for (const [channel, weight] of CHANNEL_WEIGHTS) {
    left -= weight;
    if (left < 0) return channel;
  }
  return 'CHAT';
}

const step = (kind: Step['kind']): Step => ({ kind });
const along = (kind: Step['kind']): Step => ({ kind, together: true });

/** The whole life of a new conversation: about 12 events in the mean (test/integration/simulator/life.test.ts holds it there). */
export function planConversation(random: Random, channel: Channel): Step[] {
  const steps =
    channel === 'PHONE_CALL'
      ? [step('created'), along('contactStarted'), step('assigned')]
      : [step('created'), along('received'), step('assigned')];
  if (channel === 'PHONE_CALL' && random.chance(0.2)) steps.push(step('voicemail'));
  if (channel !== 'PHONE_CALL') steps.push(...planExchanges(random));
  if (random.chance(0.65)) steps.push(step('topicAdded'));
  if (random.chance(0.12)) steps.push(step('topicAdded'), step('topicRemoved'));
  if (random.chance(0.45)) steps.push(step('noted'));
  if (random.chance(0.2)) steps.push(step('assigned'));
  if (random.chance(0.08)) steps.push(step('attributeAdded'));
  if (random.chance(0.02)) steps.push(step('attributeAdded'), step('attributeRemoved'));
  steps.push(...planClosing(random));
  if (random.chance(0.12)) steps.push(...planReopening(random));
  return steps;
}

/** A closed conversation comes back: the customer writes again, is answered, and it is closed again. */
export function planReopening(random: Random): Step[] {
  return [step('reopened'), along('opened'), along('received'), step('sent'), ...planClosing(random)];
}

/** An open conversation whose plot has come to its end, because it was made on demand, goes on. */
export function planContinuation(random: Random): Step[] {
  return [step('assigned'), ...planExchanges(random), step('noted'), ...planClosing(random)];
}

function planExchanges(random: Random): Step[] {
  const steps: Step[] = [];
  const rounds = random.int(0, 2);
  for (let round = 0; round < rounds; round += 1) {
    steps.push(step('sent'));
    const waits = random.chance(0.4);
    if (waits) steps.push(along('waiting'));
    steps.push(step('received'));
    if (waits) steps.push(along('opened'));
  }
  steps.push(step('sent'));
  return steps;
}

function planClosing(random: Random): Step[] {
  const [first, second] = random.chance(0.5)
    ? (['closedStatus', 'closed'] as const)
    : (['closed', 'closedStatus'] as const);
  return [step(first), along(second), along('contactEnded')];
}
