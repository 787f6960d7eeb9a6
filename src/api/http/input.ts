import type { IncomingMessage } from 'node:http';
import { TextDecoder } from 'node:util';
import { z } from 'zod';
import { ApiError } from '../../contracts/api-error.ts';

/** Ids of events as they are listed. Control characters are in none, and Postgres cannot be asked for a NUL. */
export const EVENT_IDS = z
  .array(
    z
      .string()
      .min(1)
      .max(200)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: it is there to find them
      .regex(/^[^\u0000-\u001f\u007f]*$/, 'must have no control character'),
  )
  .min(1)
  .max(1_000);

/** Operators send small objects. */
const BODY_LIMIT_BYTES = 64 * 1024;

/** The request's JSON body as `schema` has it; no body counts as `{}`. Throws ApiError naming each field that does not fit. */
export async function jsonBody<S extends z.ZodType>(
  request: IncomingMessage,
  schema: S,
  limitBytes = BODY_LIMIT_BYTES,
): Promise<z.output<S>> {
  const text = await textBody(request, limitBytes);
  let value: unknown = {};
  if (text !== '') {
    if (!/^application\/(?:[\w.+-]+\+)?json\b/i.test(request.headers['content-type'] ?? '')) {
      throw new ApiError('unsupported_media_type', 'Send JSON, with the header content-type: application/json.');
    }
    try {
      value = JSON.parse(text);
    } catch {
      throw invalid([{ field: '', message: 'is not JSON' }]);
    }
  }
  return checked(value, schema);
}

/** `value` as `schema` has it. Throws ApiError naming each field that does not fit. */
export function checked<S extends z.ZodType>(value: unknown, schema: S): z.output<S> {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  throw invalid(
    read.error.issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({ field: [...issue.path, key].join('.'), message: 'is not a field we know' }))
        : [{ field: issue.path.join('.'), message: issue.message }],
    ),
  );
}

function invalid(fields: { field: string; message: string }[]): ApiError {
  const names = fields.map(({ field }) => field || 'the body').join(', ');
  return new ApiError('invalid_request', `The request does not fit: ${names}. See errors for each.`, fields);
}

/** The body as UTF-8 text. Throws ApiError when it is larger or is not UTF-8. */
export async function textBody(request: IncomingMessage, limitBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limitBytes) throw new ApiError('payload_too_large', `The body is larger than ${limitBytes} bytes.`);
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw invalid([{ field: '', message: 'is not UTF-8' }]);
  }
}
