import { type Dispatcher, request as send } from 'undici';
import type { Connections } from './connect.ts';
import { type Failure, GladlyError, type RequestName } from './errors.ts';
import { networkFault } from './faults.ts';
import type { GladlyHost } from './host.ts';
import { type Governor, type Method, quotaAnswer } from './quota.ts';

export interface Limits {
  /** For the whole answer, headers and body, without the wait for the quota. */
  readonly timeoutMs: number;
  /** Largest body of one answer, in bytes. Reading stops beyond it. */
  readonly maxBytes: number;
}

/** One request. `path` is what is sent, `template` what is said about it. */
export interface Outgoing {
  readonly method: Method;
  readonly template: string;
  readonly path: string;
  readonly accept?: string;
  readonly body?: unknown;
  readonly timeoutMs?: number;
}

/** An answer with a status of its own, whole. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly request: RequestName;
}

export interface TransportOptions {
  readonly host: GladlyHost;
  readonly email: string;
  readonly apiToken: string;
  readonly governor: Governor;
  readonly connections: Connections;
  readonly limits: Limits;
}

/** Told of each piece of an answer as it comes, in bytes: whoever has too little memory for it aborts the request. */
export type Meter = (bytes: number) => void;

/** Sends one request, within the quota; never follows a redirect. Throws GladlyError, or the signal's reason. */
export type Transport = (outgoing: Outgoing, signal?: AbortSignal, meter?: Meter) => Promise<Reply>;

export function createTransport(options: TransportOptions): Transport {
  const { host, governor, limits } = options;
  const dispatcher = options.connections.dispatcher(host);
  const authorization = `Basic ${Buffer.from(`${options.email}:${options.apiToken}`, 'utf8').toString('base64')}`;

  return async (outgoing, signal, meter) => {
    const name: RequestName = { host: host.name, method: outgoing.method, path: outgoing.template };
    const { heldMs } = governor.snapshot(outgoing.method);
    if (governor.patienceMs !== undefined && heldMs > governor.patienceMs)
      throw new GladlyError({ kind: 'rate_limited', retryAfterMs: Math.ceil(heldMs) }, name);
    const permit = await governor.acquire(outgoing.method, signal);
    const afterMs = outgoing.timeoutMs ?? limits.timeoutMs;
    const limit = timeLimit(afterMs, signal);
    let answering = false;
    try {
      signal?.throwIfAborted();
      const answer = await send(host.origin + outgoing.path, {
        dispatcher,
        method: outgoing.method,
        signal: limit.signal,
        headersTimeout: afterMs,
        bodyTimeout: afterMs,
        headers: {
          authorization,
          accept: outgoing.accept ?? 'application/json',
          'user-agent': 'idiomatic-for-gladly',
          ...(outgoing.body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(outgoing.body === undefined ? {} : { body: JSON.stringify(outgoing.body) }),
      });
      answering = true;
      permit.report(quotaAnswer(answer.statusCode, answer.headers));
      const text = await readBody(answer.body, limits.maxBytes, meter);
      if (text === null)
        throw new GladlyError({ kind: 'too_large', limitBytes: limits.maxBytes }, name, answer.statusCode);
      return { status: answer.statusCode, headers: answer.headers, text, request: name };
    } catch (error) {
      if (error instanceof GladlyError) throw error;
      signal?.throwIfAborted();
      throw new GladlyError(
        limit.signal.aborted ? { kind: 'timeout', afterMs } : failureOf(error, answering, afterMs),
        name,
      );
    } finally {
      limit.clear();
      permit.report();
    }
  };
}

/** `answering`: the head of the answer had come. Then what the parser does not understand is the end of an answer that was cut. */
function failureOf(error: unknown, answering: boolean, afterMs: number): Failure {
  const fault = networkFault(error);
  switch (fault) {
    case null:
      return { kind: 'unexpected' };
    case 'timeout':
      return { kind: 'timeout', afterMs };
    case 'not_http':
      return answering ? { kind: 'connection', fault: 'reset' } : { kind: 'not_json' };
    default:
      return { kind: 'connection', fault };
  }
}

/** A signal that fires with the caller's or after `ms`. `clear` lets go of both. */
function timeLimit(ms: number, signal: AbortSignal | undefined): { signal: AbortSignal; clear: () => void } {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const timer = setTimeout(abort, ms);
  signal?.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    clear: () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    },
  };
}

/** The body as text; null when it is longer than allowed, and then the connection is cut. */
async function readBody(
  body: Dispatcher.ResponseData['body'],
  maxBytes: number,
  meter?: Meter,
): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.length;
    // Leaving the loop destroys the body.
    if (size > maxBytes) return null;
    meter?.(chunk.length);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
