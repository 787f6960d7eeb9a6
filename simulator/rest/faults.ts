import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type Answer, empty, errors, rawJson } from './answer.ts';

/** What a test asks to go wrong: POST /simulator/faults. Without `times` and `forMs` it lasts until it is removed. */
export const faultRequestSchema = z
  .strictObject({
    /** Any method when left out. */
    method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).optional(),
    /** `*` is one segment, `**` any number of characters. */
    path: z.string().startsWith('/').default('/api/v1/**'),
    times: z.int().positive().optional(),
    forMs: z.int().positive().optional(),
    /** Before the answer, or before whatever else goes wrong. */
    delayMs: z.int().positive().max(600_000).optional(),
    /** Answers with this status instead of the real one. */
    status: z.int().min(200).max(599).optional(),
    /** What the answer with `status` holds. */
    body: z.enum(['errors', 'html', 'text', 'empty', 'huge']).default('errors'),
    headers: z.record(z.string(), z.string()).default({}),
    redirectTo: z.string().optional(),
    /** The real answer, made unreadable: its JSON ends too early. */
    malformed: z.literal(true).optional(),
    /** Half of the real answer, then the connection is cut. */
    cut: z.literal(true).optional(),
    /** Members, as JSON text, that are put into the real answer, an object: the last of one name counts. */
    insert: z.string().min(1).optional(),
    /** No answer at all, until the client gives up. */
    hang: z.literal(true).optional(),
  })
  .refine(
    (fault) =>
      fault.delayMs ?? fault.status ?? fault.redirectTo ?? fault.malformed ?? fault.cut ?? fault.insert ?? fault.hang,
    {
      message: 'say what goes wrong: delayMs, status, redirectTo, malformed, cut, insert or hang',
    },
  );
type FaultRequest = z.infer<typeof faultRequestSchema>;
export type Fault = FaultRequest & { id: string; hits: number };

export type Faults = {
  add(request: FaultRequest): Fault;
  list(): Fault[];
  remove(id: string): boolean;
  clear(): void;
  /** The oldest fault that fits, counted as used. */
  take(method: string, path: string): Fault | undefined;
};

type Active = { fault: Fault; pattern: RegExp; until: number };

export function createFaults(): Faults {
  let active: Active[] = [];

  function expire(): void {
    const now = Date.now();
    active = active.filter(({ fault, until }) => until > now && fault.hits < (fault.times ?? Number.POSITIVE_INFINITY));
  }

  return {
    add: (request) => {
      const fault = { ...request, id: randomUUID(), hits: 0 };
      const until = request.forMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + request.forMs;
      active.push({ fault, pattern: toPattern(request.path), until });
      return fault;
    },
    list: () => {
      expire();
      return active.map(({ fault }) => ({ ...fault }));
    },
    remove: (id) => {
      const before = active.length;
      active = active.filter(({ fault }) => fault.id !== id);
      return active.length < before;
    },
    clear: () => {
      active = [];
    },
    take: (method, path) => {
      expire();
      const found = active.find(
        ({ fault, pattern }) => (fault.method === undefined || fault.method === method) && pattern.test(path),
      );
      if (found === undefined) return undefined;
      found.fault.hits += 1;
      return found.fault;
    },
  };
}

function toPattern(path: string): RegExp {
  const source = path
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/\*\*|\*/g, (stars) => (stars === '**' ? '.*' : '[^/]*'));
  return new RegExp(`^${source}$`);
}

/** Larger than any client should read: Gladly's lists are capped, so nothing real is near it. */
const HUGE_BYTES = 64 * 2 ** 20;

/** The answer a fault puts in the place of the real one, or undefined when the real one is wanted. */
export async function faultyAnswer(fault: Fault, closing: AbortSignal): Promise<Answer | 'hang' | undefined> {
  if (fault.delayMs !== undefined) await sleep(fault.delayMs, undefined, { signal: closing });
  if (fault.hang) return 'hang';
  if (fault.redirectTo !== undefined)
    return empty(fault.status ?? 302, { ...fault.headers, location: fault.redirectTo });
  if (fault.status === undefined) return undefined;
  switch (fault.body) {
    case 'empty':
      return empty(fault.status, fault.headers);
    case 'html':
      return {
        status: fault.status,
        headers: { 'content-type': 'text/html', ...fault.headers },
        body: `<html><head><title>${fault.status}</title></head><body><h1>${fault.status}</h1><hr>nginx</body></html>`,
      };
    case 'text':
      return { status: fault.status, headers: { 'content-type': 'text/plain', ...fault.headers }, body: 'not found' };
    case 'huge':
      return rawJson(fault.status, `["${'x'.repeat(HUGE_BYTES)}"]`, fault.headers);
    case 'errors': {
      const answer = errors(fault.status, { code: 'temporary_failure', detail: 'simulated failure' });
      return { ...answer, headers: { ...answer.headers, ...fault.headers } };
    }
  }
}

/** The answer with what the fault puts into it. */
export function withInserted({ insert }: Fault, answer: Answer): Answer {
  const text = answer.body.toString();
  return insert === undefined || !text.endsWith('}') ? answer : { ...answer, body: `${text.slice(0, -1)},${insert}}` };
}

/** Breaks the real answer: with `malformed` its body, with `cut` the connection as well. */
export function sendBroken(fault: Fault, answer: Answer, response: ServerResponse): void {
  const bytes = Buffer.from(answer.body);
  const half = bytes.subarray(0, Math.floor(bytes.length / 2));
  if (fault.cut) {
    response.writeHead(answer.status, { ...answer.headers, 'content-length': bytes.length });
    response.write(half, () => response.destroy());
    return;
  }
  response.writeHead(answer.status, { ...answer.headers, 'content-length': half.length });
  response.end(half);
}
