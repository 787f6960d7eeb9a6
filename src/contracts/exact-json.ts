/**
 * JSON.parse for what others wrote and is to be passed on: a number that a double cannot hold (an order number beyond 2^53, 1e400) stays as it
 * was written, as an object that JSON.stringify writes out again unchanged. All others are numbers. Throws SyntaxError as JSON.parse does.
 */
export function parseExactJson(text: string): unknown {
  return UNSAFE.test(text) ? parse(text, exact) : JSON.parse(text);
}

/** Sixteen digits or an exponent, where a number may begin: only then is each number looked at, which costs some ten times as much. */
const UNSAFE = /(?:^|[:,[\s])-?(?:[\d.]{16,}|[\d.]+[eE])/;

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
