import { parseExactJson } from '../contracts/exact-json.ts';

/**
 * JSON that Postgres can keep: its jsonb refuses a NUL character and half a surrogate pair, and one such message would
 * stop a whole batch. Both become U+FFFD, in values and in names. Numbers stay exact. Throws SyntaxError as JSON.parse does.
 */
export function parseStorableJson(text: string): unknown {
  const value = parseExactJson(text);
  // The escapes are the only way in: the text was decoded from UTF-8, which has no half pairs, and JSON forbids a bare NUL.
  return SUSPECT.test(text) ? storableOf(value) : value;
}

function storableOf(value: unknown): unknown {
  try {
    return storable(value);
  } catch (error) {
    // JSON.parse takes any depth, this what the stack holds.
    if (error instanceof RangeError) throw new SyntaxError('JSON that is nested too deep', { cause: error });
    throw error;
  }
}

const SUSPECT = /\\u(0000|d[89a-f])/i;

function storable(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed().replaceAll('\0', '\uFFFD');
  if (Array.isArray(value)) return value.map(storable);
  // An exact number has no prototype (JSON.rawJSON).
  if (value === null || typeof value !== 'object' || Object.isFrozen(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, it]) => [storable(name), storable(it)]));
}

export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The value when it is a text with something in it. */
export const textOr = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
