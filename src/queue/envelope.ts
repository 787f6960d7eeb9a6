import { Buffer, isUtf8 } from 'node:buffer';
import { MAX_MESSAGE_BYTES } from './limits.ts';

/** An accepted webhook delivery: its body byte for byte, when it was accepted, and the id of the webhook key that it carried. */
export interface Delivery {
  /** Milliseconds since 1970, by the clock of the API process. */
  readonly acceptedAt: number;
  readonly keyId: string;
  readonly body: Buffer;
}

export type EncodedDelivery =
  | { readonly kind: 'message'; readonly text: string; readonly bytes: number }
  /** Larger than SQS accepts. */
  | { readonly kind: 'too_large'; readonly bytes: number };

/**
 * The text of the SQS message and its size in UTF-8 bytes. The text is always JSON, so that it can be read in any SQS console:
 * - a JSON body (`isJson`) is its last member, `json`, unchanged, and is cut out again by position, so no byte changes;
 * - other text is a JSON string, `text`;
 * - bytes that are not UTF-8, and characters that SQS refuses (see `isSafe`), are in base64, `base64`.
 */
export function encodeDelivery(
  delivery: Delivery,
  options: { readonly isJson: boolean; readonly maxBytes?: number },
): EncodedDelivery {
  const { body } = delivery;
  const head = `{"v":1,"at":${delivery.acceptedAt},"key":${JSON.stringify(delivery.keyId)}`;
  const text = isUtf8(body) ? body.toString() : null;
  let encoded: string;
  if (text === null || !isSafe(text)) encoded = `${head},"base64":"${body.toString('base64')}"}`;
  else if (options.isJson) encoded = `${head}${RAW}${text}}`;
  else encoded = `${head},"text":${JSON.stringify(text)}}`;
  const bytes = Buffer.byteLength(encoded);
  return bytes > (options.maxBytes ?? MAX_MESSAGE_BYTES)
    ? { kind: 'too_large', bytes }
    : { kind: 'message', text: encoded, bytes };
}

/** The delivery in an SQS message, or null when `encodeDelivery` did not write the message. Does not throw. */
export function decodeDelivery(message: string): Delivery | null {
  const head = HEAD.exec(message);
  if (head === null) return decodeOther(message);
  // The body is everything between the head and the last brace.
  const body = Buffer.from(message.slice(head[0].length, -1));
  const keyId = unquote(head[2]);
  return keyId === null ? null : { acceptedAt: Number(head[1]), keyId, body };
}

const RAW = ',"json":';
const HEAD = /^\{"v":1,"at":(\d{1,16}),"key":("(?:[^"\\]|\\.)*"),"json":/;

function decodeOther(message: string): Delivery | null {
  let raw: unknown;
  try {
    raw = JSON.parse(message);
  } catch {
    return null;
  }
  if (typeof raw !== 'object' || raw === null || !('v' in raw) || raw.v !== 1) return null;
  if (!('at' in raw) || typeof raw.at !== 'number' || !('key' in raw) || typeof raw.key !== 'string') return null;
  const delivery = { acceptedAt: raw.at, keyId: raw.key };
  if ('text' in raw && typeof raw.text === 'string') return { ...delivery, body: Buffer.from(raw.text) };
  if ('base64' in raw && typeof raw.base64 === 'string')
    return { ...delivery, body: Buffer.from(raw.base64, 'base64') };
  return null;
}

/** Null for what is no JSON string: HEAD lets escapes pass that JSON does not know. */
function unquote(json: string | undefined): string | null {
  try {
    const value: unknown = JSON.parse(json ?? 'null');
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
}

/**
 * SQS accepts tab, line feed, carriage return, U+0020 to U+D7FF, U+E000 to U+FFFD and everything above U+FFFF (reference of SendMessage).
 * fauxqs 2.4 refuses that last range, so text with an emoji is base64 as well.
 */
const isSafe = (text: string): boolean => !UNSAFE.test(text);
const UNSAFE = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD]/;
