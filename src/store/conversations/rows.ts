import { hash } from 'node:crypto';
import type { ConversationResult, Item } from '../../contracts/reading.ts';
import type { EventOutcome } from '../ledger/complete.ts';
import { jsonbText, storableText, storableTime } from '../values.ts';

/** JSON as jsonb takes it, and a digest of it that tells whether it changed. */
export interface StoredJson {
  readonly json: string;
  readonly digest: string;
}

const remembered = new WeakMap<object, StoredJson>();

/** 128 bits are plenty to tell two versions of one object apart. Remembered for as long as the object lives: it is asked for its size first. */
export function storedJson(value: unknown): StoredJson {
  const known = typeof value === 'object' && value !== null ? remembered.get(value) : undefined;
  if (known !== undefined) return known;
  const json = jsonbText(value);
  const stored = { json, digest: hash('sha256', json, 'base64url').slice(0, 22) };
  if (typeof value === 'object' && value !== null) remembered.set(value, stored);
  return stored;
}

/** About how much a reading is in a statement, in characters. Throws StoreError where it cannot be said in JSON. */
export function sizeOf(result: ConversationResult): number {
  const raws = [result.reading?.raw, ...itemRows(result).map(({ item }) => item.raw)];
  return raws.reduce<number>((sum, raw) => sum + storedJson(raw).json.length, 0);
}

export interface ItemRow extends StoredJson {
  readonly conversationId: string;
  readonly item: Item;
}

/** The items of one conversation, each once: what was read for itself is newer than the list. */
export function itemRows({ conversationId, reading, items }: ConversationResult): readonly ItemRow[] {
  const unique = new Map([...(reading?.items ?? []), ...items].map((item) => [item.id, item]));
  return [...unique.values()].map((item) => ({ conversationId, item, ...storedJson(item.raw) }));
}

export function outcomes({ extracted, gone, rejected }: ConversationResult): readonly EventOutcome[] {
  return [
    ...extracted.map((eventId): EventOutcome => ({ eventId, state: 'extracted' })),
    ...gone.map((verdict): EventOutcome => ({ ...verdict, state: 'gone' })),
    ...rejected.map((verdict): EventOutcome => ({ ...verdict, state: 'rejected' })),
  ];
}

/** Columns of `items` after its key, in the order of ITEM_COLUMNS. */
export function itemColumns(rows: readonly ItemRow[]): readonly (readonly (string | number | null)[])[] {
  const texts = (of: (item: Item) => string | null) => rows.map(({ item }) => storableText(of(item)));
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
