import type { JsonObject } from './json.ts';

/**
 * Where Gladly's answers differ from what we know of them: `conversation.field:foo`, `item.type:TWEET`. Nothing is lost by it, the
 * raw JSON is kept; it is counted, so that we learn of changes. Names only, never values of customers.
 */
export type Drift = readonly string[];

/** Short and harmless, so that it can be a metric's label: what does not look like a name is not repeated. */
export function driftName(where: string, what: string): string {
  return `${where}:${/^[\w./ -]{1,64}$/.test(what) ? what : '(other)'}`;
}

/** The fields that we do not know. */
export function unknownFields(where: string, raw: JsonObject, known: ReadonlySet<string>): string[] {
  const found: string[] = [];
  for (const name in raw) if (!known.has(name)) found.push(driftName(`${where}.field`, name));
  return found;
}
