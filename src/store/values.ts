import { StoreError } from './errors.ts';

/** A time as we are given it: a Date, or Gladly's RFC 3339 text with 0 to 9 digits of a second. */
export type Instant = Date | string;

/**
 * Foreign JSON as jsonb takes it. Postgres refuses the escape of a NUL character and of half a surrogate pair, and one such text would
 * fail a whole batch at every retry, so both become U+FFFD. What cannot be said in JSON becomes null. Throws StoreError, as Postgres would, for
 * what is nested thousands of levels deep.
 */
export function jsonbText(value: unknown): string {
  const text = jsonOf(value);
  return SUSPECT.test(text)
    ? text.replaceAll(ESCAPE, (found) => (found === ESCAPED_BACKSLASH ? found : '\\ufffd'))
    : text;
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch (error) {
    // JSON.parse takes any depth, JSON.stringify what the stack holds.
    if (error instanceof RangeError) throw new StoreError({ code: TOO_DEEP, transient: false });
    throw error;
  }
}

/** SQLSTATE of statement_too_complex: Postgres gives it for jsonb that is nested too deep. */
const TOO_DEEP = '54001';

// JSON.stringify escapes only half pairs; a whole pair it writes as it is. An escaped backslash may stand before a plain "u0000".
const SUSPECT = /\\u(?:0000|d[89a-f])/;
const ESCAPE = /\\\\|\\u(?:0000|d[89a-f][0-9a-f]{2})/g;
const ESCAPED_BACKSLASH = '\\\\';

/** Foreign text as a text column takes it: without NUL. (Half surrogate pairs end when the text becomes UTF-8.) */
export function storableText(text: string | null | undefined): string | null {
  return text?.replaceAll('\0', '\uFFFD') ?? null;
}

/**
 * A time as timestamptz takes it, to the microsecond; null for what is no time, or in no year of four digits, which Postgres would
 * refuse, and with it the whole batch.
 */
export function storableTime(time: Instant | null | undefined): string | null {
  if (time === null || time === undefined) return null;
  const at = new Date(time);
  const year = at.getUTCFullYear();
  if (Number.isNaN(at.getTime()) || year < 1 || year > 9999) return null;
  const finer = typeof time === 'string' ? (FINER_THAN_MS.exec(time)?.[1] ?? '') : '';
  return at.toISOString().replace('Z', `${finer}Z`);
}

const FINER_THAN_MS = /\.\d{3}(\d{1,3})/;
