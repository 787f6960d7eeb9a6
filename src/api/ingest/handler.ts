import type { IncomingMessage, ServerResponse } from 'node:http';
import { TENANT_ID, WEBHOOK_PATH } from '../../contracts/tenant.ts';
import { answer } from './answers.ts';
import type { AuthenticatedCaller } from './authenticated.ts';
import { MAX_BODY_BYTES, readBody } from './body.ts';
import type { DeliveryRecorder } from './delivery-recorder.ts';
import type { IngestEngine } from './engine.ts';
import type { Keys } from './keys.ts';
import { lingerThenEnd } from './linger.ts';
import type { IngestMetrics } from './metrics.ts';
import type { Outcome } from './outcomes.ts';
import type { IngestLog } from './ports.ts';
import type { WrongKeys } from './wrong-keys.ts';

export interface HandlerDeps {
  readonly keys: Keys;
  readonly wrongKeys: WrongKeys;
  readonly engine: IngestEngine;
  readonly recorder: DeliveryRecorder;
  readonly metrics: IngestMetrics;
  readonly log: IngestLog;
  /** Balancers of ours in front of this process: see `senderAddress`. */
  readonly proxies: number;
}

/** True when the request was for the webhook endpoint, and is being answered; otherwise it is left as it was. */
export type IngestHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

/** The way of a delivery through HTTP: key first, from headers alone, then the body, then the engine. No framework in between. */
export function createIngestHandler(deps: HandlerDeps): IngestHandler {
  const { keys, wrongKeys, engine, recorder, metrics, log } = deps;

  async function takeIn(
    caller: AuthenticatedCaller,
    request: IncomingMessage,
    response: ServerResponse,
    began: number,
  ): Promise<void> {
    const body = await readBody(request);
    if (body.kind === 'cut_off') return end(request, response, 'hung_up', began);
    if (body.kind === 'too_large') return end(request, response, 'too_large', began);
    const outcome = await engine.take({ caller, body: body.bytes, acceptedAt: Date.now() });
    end(request, response, outcome, began);
  }

  async function withoutKey(
    tenantId: string,
    shown: string,
    request: IncomingMessage,
    response: ServerResponse,
    began: number,
  ): Promise<void> {
    // Before the keys are loaded each key is unknown, right ones too: none of them counts as wrong.
    if (keys.isLoaded && !wrongKeys.allows(senderAddress(request, deps.proxies))) {
      return end(request, response, 'too_many_wrong_keys', began);
    }
    const caller = await keys.checkAgain(tenantId, shown);
    if (caller !== null) return takeIn(caller, request, response, began);
    if (shown !== '' && keys.knows(tenantId)) recorder.recordWrongKey(tenantId, Date.now());
    end(request, response, keys.isLoaded ? 'wrong_key' : 'keys_unknown', began);
  }

  function end(request: IncomingMessage, response: ServerResponse, outcome: Outcome, began: number): void {
    metrics.answered(outcome, performance.now() - began);
    if (request.complete || isSmall(request)) answer(response, outcome);
    else lingerThenEnd(request, response, outcome);
  }

  return (request, response) => {
    const { url, method } = request;
    if (url === undefined || !url.startsWith(WEBHOOK_PATH)) return false;
    const began = performance.now();
    if (method !== 'POST') {
      end(request, response, 'wrong_method', began);
      return true;
    }
    const query = url.indexOf('?', WEBHOOK_PATH.length);
    const named = url.slice(WEBHOOK_PATH.length, query === -1 ? undefined : query);
    // What cannot be a tenant is answered like one that is not.
    const tenantId = TENANT_ID.test(named) ? named : '';
    const header = request.headers['x-api-key'];
    const shown = typeof header === 'string' ? header : '';
    const caller = keys.check(tenantId, shown);
    const done =
      caller === null
        ? withoutKey(tenantId, shown, request, response, began)
        : takeIn(caller, request, response, began);
    done.catch((error: unknown) => {
      log.warn({ err: error, tenantId }, 'a webhook delivery failed in a way that nobody thought of');
      if (response.headersSent) response.destroy();
      else end(request, response, 'nowhere_to_keep', began);
    });
    return true;
  };
}

/** What is still to come of the body is little: node reads it away, and the connection can be used again. */
function isSmall(request: IncomingMessage): boolean {
  if (request.headers['transfer-encoding'] !== undefined) return false;
  return Number(request.headers['content-length'] ?? 0) <= MAX_BODY_BYTES;
}

/**
 * Who sent it. With `proxies` balancers of ours in front, each adds to X-Forwarded-For the address it saw: the one that
 * many places from the end was written by the outermost of ours. What stands before it anybody can make up.
 */
function senderAddress(request: IncomingMessage, proxies: number): string {
  const direct = request.socket.remoteAddress ?? 'unknown';
  if (proxies === 0) return direct;
  const header = request.headers['x-forwarded-for'];
  const seen = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',');
  const address = seen.at(-proxies)?.trim();
  return address === undefined || address === '' ? direct : address;
}
