import { type ConversationResult, type Item, nothing, type WaitingEvent } from '../../contracts/reading.ts';
import type { GladlyClient, ItemsAnswer } from '../../gladly/client.ts';
import { type FailureKind, GladlyError } from '../../gladly/errors.ts';
import type { Meter } from '../../gladly/transport.ts';
import { ITEM_LOOKS_MS, LIST_GIVEN_UP, WHOLE_LOOKS } from './limits.ts';

/** A conversation with waiting events. */
export interface DueConversation {
  readonly conversationId: string;
  readonly events: readonly WaitingEvent[];
  /** It was read before, and was not gone then. */
  readonly isStored: boolean;
  /** Readings of it that failed in a row. */
  readonly failures: number;
}

interface Asking {
  readonly signal: AbortSignal;
  readonly meter: Meter | undefined;
}

/** An event whose item, or whose conversation, could not be read, and why. */
interface Missing {
  readonly event: WaitingEvent;
  readonly reason: string;
}

/** Not there: Gladly's word, which is believed once it has kept to it. What is refused or unreadable is set aside instead. */
const NOT_FOUND = { item: 'item_not_found', conversation: 'conversation_not_found', moved: 'conversation_moved' };

/** The conversation is still shown as the customer's who was merged into another one. */
const NOT_MERGED = 'customer_not_merged';

/**
 * Reads a conversation as seldom as its events allow: once for all of them, and item by item for what that did not show. What can be kept is
 * kept: a list that cannot be had costs neither the head nor the items that events name, and an item costs itself. `patienceMs`: how long
 * something that an event names may stay away before it is given up. `meter` is told of every piece of what is kept in memory. `isListAlone`: asked
 * before a list is done without, whether those of other conversations can be had. Throws GladlyError, and the signal's reason.
 */
export async function readConversation(
  client: GladlyClient,
  due: DueConversation,
  patienceMs: number,
  signal: AbortSignal,
  meter?: Meter,
  isListAlone: () => Promise<boolean> = async () => true,
): Promise<ConversationResult> {
  const { conversationId, events } = due;
  const result = nothing(conversationId);
  // Where one item was late others may have been, and of those no event tells: the first looks read all of it again.
  const onlyItems = due.isStored && events.every((event) => event.itemId !== null && event.attempts > WHOLE_LOOKS);
  if (onlyItems) return withItems(client, due, result, events, patienceMs, { signal, meter });

  const readAt = new Date();
  const [head, items] = await Promise.all([
    client.getConversation(conversationId, signal, meter).catch((error: unknown) => orAway(error)),
    client.listConversationItems(conversationId, signal, meter).catch((error: unknown) => orUnlisted(error)),
  ]);
  if (head instanceof GladlyError) {
    const to = await goesOnAs(client, conversationId, head, signal);
    if (to === null) return notThere(result, due, head, patienceMs);
    const eventIds = events.map(({ eventId }) => eventId);
    return { ...result, conversationGone: true, moved: { to, eventIds } };
  }
  const list = items instanceof GladlyError ? await withoutList(items, due.failures, isListAlone) : items;
  const shown = new Set(list.items.map((item) => item.id));
  // Gladly may show a merge a moment later, as all else; what it shows in the end is the truth.
  const isUnmerged = ({ formerCustomerId, missingMs }: WaitingEvent) =>
    formerCustomerId != null && formerCustomerId === head.value.customerId && (missingMs ?? 0) <= patienceMs;
  const isShown = (event: WaitingEvent) => (event.itemId === null ? !isUnmerged(event) : shown.has(event.itemId));
  const read = {
    ...result,
    reading: { conversation: head.value, raw: head.raw, items: list.items, limited: list.limited, readAt },
    drift: [...head.drift, ...list.drift],
    extracted: events.filter(isShown).map((event) => event.eventId),
  };
  const missing = events.filter((event) => !isShown(event));
  if (missing.length === 0) return read;
  // Over the cap the newest are what a list leaves out (gladly.md 2.2). Below it, the item is not there yet.
  const unmerged = missing.filter(({ itemId }) => itemId === null).map((event) => ({ event, reason: NOT_MERGED }));
  const unseen = missing.filter(({ itemId }) => itemId !== null);
  if (list.limited) return withItems(client, due, read, unseen, patienceMs, { signal, meter }, unmerged);
  const notFound = unseen.map((event) => ({ event, reason: NOT_FOUND.item }));
  return lookLater(read, [...unmerged, ...notFound], patienceMs);
}

/** Gladly itself says that the conversation is not there; what somebody else says in its place is thrown. */
function orAway(error: unknown): GladlyError {
  if (error instanceof GladlyError && !error.foreign && (error.kind === 'not_found' || error.kind === 'moved'))
    return error;
  throw error;
}

/** A conversation that moved may have moved again since. */
const MOST_MOVES = 3;

/** The id under which a conversation goes on: one that answers as a conversation. Null when there is none. */
async function goesOnAs(
  client: GladlyClient,
  conversationId: string,
  answer: GladlyError,
  signal: AbortSignal,
): Promise<string | null> {
  let found = answer;
  for (let moves = 0; moves < MOST_MOVES; moves += 1) {
    const to = found.newConversationId;
    if (to === null || to === conversationId) return null;
    const next = await client.getConversation(to, signal).catch((error: unknown) => orAway(error));
    if (!(next instanceof GladlyError)) return to;
    found = next;
  }
  return null;
}

/** Passes, however long it takes: then all of the conversation is read. */
const PASSES: readonly FailureKind[] = ['server_error', 'rate_limited', 'connection'];

/** What Gladly says of the list may be of the conversation, which its head tells; either may be answered first. */
function orUnlisted(error: unknown): GladlyError {
  if (error instanceof GladlyError && !error.foreign) return error;
  throw error;
}

/**
 * A list is done without when it is too large, which it stays, and when whatever else is wrong with it alone came again and again. Were it done
 * without while no list can be had, what was not read would never be missed.
 */
async function withoutList(
  error: GladlyError,
  failures: number,
  isAlone: () => Promise<boolean>,
): Promise<ItemsAnswer> {
  const isGivenUp = failures >= LIST_GIVEN_UP && !PASSES.includes(error.kind);
  if (error.kind !== 'too_large' && !(isGivenUp && (await isAlone()))) throw error;
  return { items: [], limited: true, drift: [`conversation.items:${error.kind}`] };
}

async function withItems(
  client: GladlyClient,
  due: DueConversation,
  result: ConversationResult,
  events: readonly WaitingEvent[],
  patienceMs: number,
  asking: Asking,
  alsoMissing: readonly Missing[] = [],
): Promise<ConversationResult> {
  const items: Item[] = [];
  const extracted: string[] = [];
  const missing: Missing[] = [...alsoMissing];
  for (const event of events) {
    const item = await readItem(client, due.conversationId, event, asking);
    if (typeof item === 'string') missing.push({ event, reason: item });
    else extracted.push(event.eventId);
    if (typeof item === 'object' && item !== null) items.push(item);
  }
  const found = { ...result, items: [...result.items, ...items], extracted: [...result.extracted, ...extracted] };
  return missing.length === 0 ? found : lookLater(found, missing, patienceMs);
}

/** What concerns one item; anything else is trouble with Gladly, the token or the address. */
const ABOUT_ONE_ITEM: readonly FailureKind[] = ['forbidden', 'too_large', 'moved', 'unexpected', 'invalid_id'];

/** Null: it exists, and Gladly's API cannot show it (400, gladly.md 2.2). A reason: it could not be read. */
async function readItem(
  client: GladlyClient,
  conversationId: string,
  { itemId, type }: WaitingEvent,
  { signal, meter }: Asking,
): Promise<Item | string | null> {
  if (itemId === null) return null;
  try {
    const answer =
      type === 'CONVERSATION/NOTE_CREATED'
        ? await client.getNote(conversationId, itemId, signal, meter)
        : await client.getConversationItem(itemId, signal, meter);
    return answer.item;
  } catch (error) {
    if (!(error instanceof GladlyError) || error.foreign) throw error;
    if (error.kind === 'bad_request') return null;
    if (error.kind === 'not_found') return NOT_FOUND.item;
    if (ABOUT_ONE_ITEM.includes(error.kind)) return error.problem.code;
    throw error;
  }
}

/** Something may show up a little later; what never does is gone, and what cannot be read is set aside. */
function lookLater(result: ConversationResult, missing: readonly Missing[], patienceMs: number): ConversationResult {
  const isOver = ({ event }: Missing): boolean => (event.missingMs ?? 0) > patienceMs;
  const over = missing
    .filter(isOver)
    .map(({ event, reason }) => ({ eventId: event.eventId, reason, isGone: reason === NOT_FOUND.item }));
  const open = missing.filter((one) => !isOver(one));
  const verdict = ({ eventId, reason }: (typeof over)[number]) => ({ eventId, reason });
  return {
    ...result,
    gone: [...result.gone, ...over.filter(({ isGone }) => isGone).map(verdict)],
    rejected: [...result.rejected, ...over.filter(({ isGone }) => !isGone).map(verdict)],
    later: laterOf(open),
  };
}

const LAST_LOOK_MS = Math.max(...ITEM_LOOKS_MS);

function laterOf(open: readonly Missing[]): ConversationResult['later'] {
  const [first] = open;
  if (first === undefined) return null;
  const looks = open.map(({ event }) => ITEM_LOOKS_MS[event.attempts] ?? LAST_LOOK_MS);
  return {
    inMs: Math.min(...looks),
    eventIds: open.map(({ event }) => event.eventId),
    reason: first.reason,
  };
}

/** A conversation may be behind its first event, too; one that stays away was deleted, or went on under another id. */
function notThere(
  result: ConversationResult,
  { events }: DueConversation,
  { failure }: GladlyError,
  patienceMs: number,
): ConversationResult {
  const reason = failure.kind === 'moved' ? NOT_FOUND.moved : NOT_FOUND.conversation;
  const missingMs = Math.max(...events.map((event) => event.missingMs ?? 0));
  if (missingMs <= patienceMs) return { ...result, later: laterOf(events.map((event) => ({ event, reason }))) };
  const gone = events.map(({ eventId }) => ({ eventId, reason }));
  return { ...result, conversationGone: true, gone };
}
