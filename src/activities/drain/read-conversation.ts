import { type ConversationResult, type Item, nothing, type WaitingEvent } from '../../contracts/reading.ts';
import type { GladlyClient } from '../../gladly/client.ts';
import { GladlyError } from '../../gladly/errors.ts';
import { CONVERSATION_LOOKS_MS, COVERED_MARGIN_MS, ITEM_GIVEN_UP_MS, ITEM_LOOKS_MS, WHOLE_LOOKS } from './limits.ts';

/** A conversation with waiting events, and what is stored of it. */
export interface DueConversation {
  readonly conversationId: string;
  readonly events: readonly WaitingEvent[];
  /** When it was last read, by Gladly's clock; null: never. */
  readonly readAt: Date | null;
  /** Which of the items that the events name are stored. */
  readonly knownItems: ReadonlySet<string>;
  /** Readings of it that failed in a row. */
  readonly failures: number;
}

/**
 * Reads a conversation as seldom as its events allow: not at all when an earlier reading covers them, once for all of them
 * otherwise, and item by item for what a reading did not show. Throws GladlyError, and the signal's reason.
 */
export async function readConversation(
  client: GladlyClient,
  due: DueConversation,
  signal: AbortSignal,
): Promise<ConversationResult> {
  const open = due.events.filter((event) => !isCovered(event, due));
  const extracted = due.events.filter((event) => isCovered(event, due)).map((event) => event.eventId);
  const result = { ...nothing(due.conversationId), extracted };
  if (open.length === 0) return result;
  // Where one item was late others may have been, and of those no event tells: the first looks read all of it again.
  const onlyItems = due.readAt !== null && open.every((event) => event.itemId !== null && event.attempts > WHOLE_LOOKS);
  if (onlyItems) return withItems(client, due, result, open, signal);

  const started = performance.now();
  const [conversation, list] = await Promise.all([
    client.getConversation(due.conversationId, signal).catch(notFoundAsNull),
    client.listConversationItems(due.conversationId, signal).catch(notFoundAsNull),
  ]);
  if (conversation === null || list === null) return notThere(result, open);
  const readAt = earliest([conversation.readAt, list.readAt], performance.now() - started);
  const shown = new Set(list.items.map((item) => item.id));
  const isShown = (event: WaitingEvent) => event.itemId === null || shown.has(event.itemId);
  const reading = {
    conversation: conversation.value,
    raw: conversation.raw,
    items: list.items,
    limited: list.limited,
    readAt,
  };
  const read = {
    ...result,
    reading,
    drift: [...conversation.drift, ...list.drift],
    extracted: [...extracted, ...open.filter(isShown).map((event) => event.eventId)],
  };
  const missing = open.filter((event) => !isShown(event));
  if (missing.length === 0) return read;
  // Over the cap the newest are what a list leaves out (gladly.md 2.2). Below it, the item is not there yet.
  return list.limited ? withItems(client, due, read, missing, signal) : lookLater(read, missing);
}

/** True when an earlier reading has seen what the event is about: it costs no call. */
function isCovered(event: WaitingEvent, { readAt, knownItems }: DueConversation): boolean {
  if (readAt === null || event.eventAt === null) return false;
  if (event.itemId !== null && !knownItems.has(event.itemId)) return false;
  return event.eventAt.getTime() + COVERED_MARGIN_MS <= readAt.getTime();
}

/** A reading shows what was there when its first request was sent; `Date` is when its answer left. */
function earliest(dates: readonly (Date | null)[], tookMs: number): Date | null {
  const times = dates.map((date) => date?.getTime() ?? Number.NaN);
  const first = Math.min(...times) - tookMs;
  return Number.isNaN(first) ? null : new Date(first);
}

async function withItems(
  client: GladlyClient,
  due: DueConversation,
  result: ConversationResult,
  events: readonly WaitingEvent[],
  signal: AbortSignal,
): Promise<ConversationResult> {
  const items: Item[] = [];
  const extracted: string[] = [];
  const missing: WaitingEvent[] = [];
  for (const event of events) {
    const item = await readItem(client, due.conversationId, event, signal);
    if (item === null) missing.push(event);
    else extracted.push(event.eventId);
    if (item !== null && item !== 'unsupported') items.push(item);
  }
  const found = { ...result, items: [...result.items, ...items], extracted: [...result.extracted, ...extracted] };
  return missing.length === 0 ? found : lookLater(found, missing);
}

/** Null: not there. `unsupported`: it exists, and Gladly's API cannot show it (400, gladly.md 2.2). */
async function readItem(
  client: GladlyClient,
  conversationId: string,
  { itemId, type }: WaitingEvent,
  signal: AbortSignal,
): Promise<Item | 'unsupported' | null> {
  if (itemId === null) return 'unsupported';
  try {
    const answer =
      type === 'CONVERSATION/NOTE_CREATED'
        ? await client.getNote(conversationId, itemId, signal)
        : await client.getConversationItem(itemId, signal);
    return answer.item;
  } catch (error) {
    if (error instanceof GladlyError && error.kind === 'not_found') return null;
    if (error instanceof GladlyError && error.kind === 'bad_request') return 'unsupported';
    throw error;
  }
}

/** An item may show up a little later; one that never does is gone. */
function lookLater(result: ConversationResult, missing: readonly WaitingEvent[]): ConversationResult {
  const waitOf = ({ attempts, waitedMs }: WaitingEvent): number | undefined =>
    waitedMs > ITEM_GIVEN_UP_MS ? undefined : (ITEM_LOOKS_MS[attempts] ?? ITEM_LOOKS_MS.at(-1));
  const gone = missing.filter((event) => waitOf(event) === undefined);
  const waits = missing.flatMap((event) => waitOf(event) ?? []);
  return {
    ...result,
    gone: [...result.gone, ...gone.map(({ eventId }) => ({ eventId, reason: 'item_not_found' }))],
    later:
      waits.length === 0
        ? null
        : {
            inMs: Math.min(...waits),
            eventIds: missing.filter((event) => waitOf(event) !== undefined).map(({ eventId }) => eventId),
          },
  };
}

/** A conversation may be a moment behind its first event, too; one that stays away was deleted. */
function notThere(result: ConversationResult, open: readonly WaitingEvent[]): ConversationResult {
  const tried = Math.max(...open.map((event) => event.attempts));
  const inMs = CONVERSATION_LOOKS_MS[tried];
  if (inMs !== undefined) return { ...result, later: { inMs, eventIds: open.map(({ eventId }) => eventId) } };
  const gone = open.map(({ eventId }) => ({ eventId, reason: 'conversation_not_found' }));
  return { ...result, conversationGone: true, gone };
}

function notFoundAsNull(error: unknown): null {
  if (error instanceof GladlyError && error.kind === 'not_found') return null;
  throw error;
}
