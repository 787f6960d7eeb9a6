/**
 * JSON.parse for what others wrote and is to be passed on: a number that a double cannot hold (an order number beyond 2^53, 1e400) stays as it
 * was written, as an object that JSON.stringify writes out again unchanged. All others are numbers. Throws SyntaxError as JSON.parse does.
 */
export function parseExactJson(text: string): unknown {
  return hasLongNumber(text) || LARGE_EXPONENT.test(text) ? parse(text, exact) : JSON.parse(text);
}

/** Beyond 10^308 and below 10^-324 a double has no number. */
const LARGE_EXPONENT = /\d[eE][+-]?\d{3}/;
/** A double keeps 15 digits of whatever number. */
const SAFE_LENGTH = 15;

/**
 * True when more than 15 digits, and perhaps a point, stand in a row, also in a text: only then is each number looked at. Of so many in a row one
 * is where every sixteenth character is, so this costs a quarter of JSON.parse, and a regular expression costs more than it.
 */
function hasLongNumber(text: string): boolean {
  for (let at = SAFE_LENGTH; at < text.length; at += SAFE_LENGTH + 1) {
    if (!isDigit(text.charCodeAt(at))) continue;
    let [from, to] = [at, at];
    while (isDigit(text.charCodeAt(from - 1))) from -= 1;
    while (isDigit(text.charCodeAt(to + 1))) to += 1;
    if (to - from >= SAFE_LENGTH) return true;
  }
  return false;
}

const isDigit = (code: number): boolean => (code >= 48 && code <= 57) || code === 46;

/** More than that no column takes (Postgres: 131,072 digits), and nobody counts so far: kept as a text. */
const LONGEST = 400;

function exact(_name: string, value: unknown, { source }: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || source === undefined || String(value) === source) return value;
  const exponent = Math.abs(Number(/[eE]([+-]?\d+)$/.exec(source)?.[1] ?? 0));
  return source.length > LONGEST || exponent > LONGEST ? source : json.rawJSON(source);
}

// Of the language's newest edition; the compiler's libraries do not know them yet.
type Reviver = (name: string, value: unknown, context: { readonly source?: string }) => unknown;
const json = JSON as unknown as { rawJSON(text: string): object };
const parse = JSON.parse as (text: string, reviver: Reviver) => unknown;
