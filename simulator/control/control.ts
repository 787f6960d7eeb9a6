import type { z } from 'zod';
import { type Answer, json } from '../rest/answer.ts';
import { matchRoute } from '../rest/router.ts';

/**
 * The control API under /simulator: what a test, a benchmark or a curious person does to the organization. It is no
 * part of Gladly, so it asks for no token; the simulator listens on 127.0.0.1 unless told otherwise. Bodies and
 * answers are JSON. README.md beside this folder lists the endpoints with examples.
 */
type ControlRequest = { params: Readonly<Record<string, string>>; query: URLSearchParams; body: unknown };

export type ControlRoute = {
  method: string;
  path: string;
  handle(request: ControlRequest): Answer | Promise<Answer>;
};

/** A request that does not fit. */
export class ControlError extends Error {
  override readonly name = 'ControlError';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export async function answerControl(
  routes: readonly ControlRoute[],
  method: string,
  url: URL,
  body: string,
): Promise<Answer> {
  const match = matchRoute(routes, method, url.pathname);
  if (match === undefined) return problem(404, `There is no ${method} ${url.pathname}.`);
  try {
    const request = { params: match.params, query: url.searchParams, body: body === '' ? {} : JSON.parse(body) };
    return await match.route.handle(request);
  } catch (error) {
    if (error instanceof ControlError) return problem(error.status, error.message);
    if (error instanceof SyntaxError) return problem(400, 'The body is not JSON.');
    if (error instanceof RangeError) return problem(409, error.message);
    throw error;
  }
}

/** Reads a body or a query by its schema; what does not fit is a 422 that names each field. */
export function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fields = result.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  throw new ControlError(422, fields.join('; '));
}

export function missing(what: string, id: string): ControlError {
  return new ControlError(404, `There is no ${what} ${id}.`);
}

function problem(status: number, detail: string): Answer {
  return json(status, { status, detail });
}
