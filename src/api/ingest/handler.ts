import type { IncomingMessage, ServerResponse } from 'node:http';
import { TENANT_ID, WEBHOOK_PATH } from '../../contracts/tenant.ts';
import { networkOf, type RateLimit } from '../http/rate-limit.ts';
import { senderAddress } from '../http/sender.ts';
import { answer } from './answers.ts';
import type { AuthenticatedCaller } from './authenticated.ts';
import { MAX_BODY_BYTES, readBody } from './body.ts';
import { decode, isDecodable } from './decode.ts';
import type { DeliveryRecorder } from './delivery-recorder.ts';
import type { IngestEngine } from './engine.ts';
import type { Keys } from './keys.ts';
import { lingerThenEnd } from './linger.ts';
import type { IngestMetrics } from './metrics.ts';
import type { Outcome } from './outcomes.ts';
import { type IngestLog, STAT_TYPE } from './ports.ts';

export interface HandlerDeps {
  readonly keys: Keys;
  /** By address; requests with a right key are not counted. */
  readonly wrongKeys: RateLimit;
  readonly engine: IngestEngine;
  readonly recorder: DeliveryRecorder;
  readonly metrics: IngestMetrics;
  readonly log: IngestLog;
  /** Number of own balancers in front of this process: see `senderAddress`. */
  readonly proxies: number;
}

/** True when the request is for the webhook endpoint and will be answered. False: the request and response are untouched. */
export type IngestHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * The webhook endpoint on plain node:http: checks the key from the headers, then reads the body, then passes the delivery to the engine. Every
 * request under WEBHOOK_PATH is answered by one of OUTCOMES.
 */
export function createIngestHandler(deps: HandlerDeps): IngestHandler {
  const { keys, wrongKeys, engine, recorder, metrics, log } = deps;

  async function takeIn(
    caller: AuthenticatedCaller,
    request: IncomingMessage,
    response: ServerResponse,
    began: number,
  ): Promise<void> {
    const encoding = request.headers['content-encoding'];
    if (!isDecodable(encoding)) return end(request, response, 'unknown_encoding', began);
    const sent = await readBody(request);
    const body = encoding === undefined || sent.kind !== 'whole' ? sent : await decode(sent.bytes, encoding);
    if (body.kind === 'cut_off') return end(request, response, 'hung_up', began);
    if (body.kind === 'too_large') return end(request, response, 'too_large', began);
    const outcome = await engine.take({ caller, body: body.bytes, acceptedAt: Date.now() });
    end(request, response, outcome, began);
  }

  async function checkUnknownKey(
    tenantId: string,
    shown: string,
    request: IncomingMessage,
    response: ServerResponse,
    began: number,
  ): Promise<void> {
    // Before the keys are loaded every key is unknown, so none of them counts as wrong.
    if (keys.isLoaded && !wrongKeys.allows(networkOf(senderAddress(request, deps.proxies)))) {
      return end(request, response, 'too_many_wrong_keys', began);
    }
    const caller = await keys.checkAgain(tenantId, shown);
    if (caller !== null) return takeIn(caller, request, response, began);
    if (keys.isLoaded && keys.knows(tenantId))
      recorder.recordRefusal(tenantId, shown === '' ? STAT_TYPE.noKey : STAT_TYPE.wrongKey, Date.now());
    end(request, response, keys.isLoaded ? 'wrong_key' : 'keys_unknown', began);
  }

  function end(request: IncomingMessage, response: ServerResponse, outcome: Outcome, began: number): void {
    metrics.answered(outcome, performance.now() - began);
    if (request.complete || isSmall(request)) answer(response, outcome);
    else lingerThenEnd(request, response, outcome);
  }

  return (request, response) => {
    const { method } = request;
    const url = targetOf(request.url ?? '');
    if (!url.startsWith(WEBHOOK_PATH)) return false;
    const began = performance.now();
    if (method !== 'POST') {
      end(request, response, 'wrong_method', began);
      return true;
    }
    const query = url.indexOf('?', WEBHOOK_PATH.length);
    const named = url.slice(WEBHOOK_PATH.length, query === -1 ? undefined : query);
    // A name that cannot be a tenant id gets the same answer as an unknown tenant.
    const tenantId = TENANT_ID.test(named) ? named : '';
    const header = request.headers['x-api-key'];
    const shown = typeof header === 'string' ? header : '';
    const caller = keys.check(tenantId, shown);
    const done =
      caller === null
        ? checkUnknownKey(tenantId, shown, request, response, began)
        : takeIn(caller, request, response, began);
    done.catch((error: unknown) => {
      log.warn({ event: 'webhook.unexpected_error', err: error, tenantId }, 'webhook delivery: failed unexpectedly');
      if (response.headersSent) response.destroy();
      else end(request, response, 'nowhere_to_keep', began);
    });
    return true;
  };
}

/** Path and query: of a proxy's absolute form too (`POST http://host/path`; RFC 9112, 3.2.2). */
const targetOf = (url: string): string => (url.startsWith('/') ? url : url.replace(ORIGIN, ''));
const ORIGIN = /^https?:\/\/[^/?#]*/i;

/** True when the unread rest of the body is at most MAX_BODY_BYTES: node discards it, and the connection stays usable. */
function isSmall(request: IncomingMessage): boolean {
  if (request.headers['transfer-encoding'] !== undefined) return false;
  return Number(request.headers['content-length'] ?? 0) <= MAX_BODY_BYTES;
}
