import { Buffer, isUtf8 } from 'node:buffer';
import { MAX_MESSAGE_BYTES } from './limits.ts';

/** One accepted webhook delivery: its body byte for byte, when we took it, and which of the tenant's keys it carried. */
export interface Delivery {
  /** Milliseconds since 1970, of the API's clock. */
  readonly acceptedAt: number;
  readonly keyId: string;
  readonly body: Buffer;
}

export type EncodedDelivery =
  | { readonly kind: 'message'; readonly text: string; readonly bytes: number }
  /** SQS would refuse it. */
  | { readonly kind: 'too_large'; readonly bytes: number };

/**
 * The text of the SQS message: always JSON, so that a person can read it in any SQS console. A body that is JSON stands in it as
 * it came, at the end, and is cut out again by position: no byte changes and nothing is encoded twice. Any other text is a JSON
 * string. What SQS refuses (facts in `isSafe`) and what is not UTF-8 is base64.
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

/** The delivery in an SQS message, or null when the message is not one of ours: somebody else wrote into the queue. */
export function decodeDelivery(message: string): Delivery | null {
  const head = HEAD.exec(message);
  if (head === null) return decodeOther(message);
  // A raw body is everything between the head and the last brace.
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

function unquote(json: string | undefined): string | null {
  const value: unknown = json === undefined ? null : JSON.parse(json);
  return typeof value === 'string' ? value : null;
}

/**
 * SQS takes tab, line feed, carriage return, U+0020 to U+D7FF, U+E000 to U+FFFD and what lies beyond U+FFFF (SendMessage's
 * reference). fauxqs 2.4 refuses that last part as well, so an emoji too takes the way through base64.
 */
const isSafe = (text: string): boolean => !UNSAFE.test(text);
const UNSAFE = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD]/;
