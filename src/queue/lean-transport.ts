import { Buffer } from 'node:buffer';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { SignatureV4 } from '@smithy/signature-v4';
import { Pool } from 'undici';
import { type BatchAnswer, readEntryResults } from './entry-results.ts';
import { failureFrom, failureOf } from './errors.ts';
import { type BatchTransport, failed, type SendResult } from './sender.ts';
import { NodeSha256, sha256Hex } from './sha256.ts';

export interface LeanOptions {
  /** Supplies credentials and region. */
  readonly client: SQSClient;
  /** The endpoint of the client. Without it, requests go to the origin of the queue's URL. */
  readonly endpoint?: string;
  /** Connections per origin; 16 by default. */
  readonly connections?: number;
}

/**
 * SendMessageBatch as a signed request on pooled connections, without the SDK's middleware, which takes several times as much CPU per call
 * (bench/ingest; figures in docs/benchmarks.md). Uses AWS's own signer and SQS's JSON protocol (x-amz-json-1.0).
 */
export function createLeanTransport(options: LeanOptions): BatchTransport {
  const { client } = options;
  const signer = new SignatureV4({
    service: 'sqs',
    region: client.config.region,
    credentials: client.config.credentials,
    sha256: NodeSha256,
  });
  const pools = new Map<string, Pool>();
  const origins = new Map<string, URL>();

  function addressOf(queueUrl: string): URL {
    const origin = options.endpoint ?? queueUrl;
    let address = origins.get(origin);
    if (address === undefined) {
      address = new URL(origin);
      // Without an endpoint the keys are queue URLs, and those of removed tenants would stay.
      if (origins.size > 10_000) origins.clear();
      origins.set(origin, address);
    }
    return address;
  }

  function poolOf(address: URL): Pool {
    let pool = pools.get(address.origin);
    if (pool === undefined) {
      pool = new Pool(address.origin, {
        // As many as the sender makes concurrent calls (BATCHING.maxCalls).
        connections: options.connections ?? 16,
        // One call per connection, so that a slow call does not delay another.
        pipelining: 1,
        // Within the region a connection takes milliseconds, with TLS tens.
        connect: { timeout: 1_000 },
        // Shorter than the idle time after which AWS closes connections (not documented; 20 s are known to work).
        keepAliveTimeout: 15_000,
        // 0: off. The timer in sendBatch limits the whole call.
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      pools.set(address.origin, pool);
    }
    return pool;
  }

  async function attempt(
    queueUrl: string,
    body: Buffer,
    count: number,
    signal: AbortSignal,
  ): Promise<readonly SendResult[]> {
    const address = addressOf(queueUrl);
    const signed = await signer.sign({
      method: 'POST',
      protocol: address.protocol,
      hostname: address.hostname,
      path: '/',
      query: {},
      headers: {
        host: address.host,
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'AmazonSQS.SendMessageBatch',
        'x-amz-content-sha256': sha256Hex(body),
      },
      body,
    });
    const answer = await poolOf(address).request({ method: 'POST', path: '/', headers: signed.headers, body, signal });
    const text = await answer.body.text();
    if (answer.statusCode === 200) return readEntryResults(count, JSON.parse(text) as BatchAnswer);
    return new Array<SendResult>(count).fill(failed(failureOf(answer.statusCode, errorCode(text))));
  }

  return {
    async sendBatch(queueUrl, texts, timeoutMs) {
      const body = Buffer.from(
        JSON.stringify({
          QueueUrl: queueUrl,
          Entries: texts.map((text, index) => ({ Id: String(index), MessageBody: text })),
        }),
      );
      const limit = new AbortController();
      const timer = setTimeout(() => limit.abort(new DOMException('SQS took too long', 'TimeoutError')), timeoutMs);
      try {
        try {
          return await attempt(queueUrl, body, texts.length, limit.signal);
        } catch (error) {
          // The other side had closed the kept connection: one retry on a new one. A message that is sent twice does no harm.
          if (limit.signal.aborted || !isStaleConnection(error)) throw error;
          return await attempt(queueUrl, body, texts.length, limit.signal);
        }
      } catch (error) {
        return new Array<SendResult>(texts.length).fill(failed(failureFrom(error)));
      } finally {
        clearTimeout(timer);
      }
    },

    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.close()));
    },
  };
}

const STALE = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

const isStaleConnection = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && STALE.has(error.code);

/**
 * The error name of an answer such as `{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "…"}`. The message may repeat what was sent,
 * so it is not used.
 */
function errorCode(text: string): string {
  const found = /"__type"\s*:\s*"(?:[^"#]*#)?([A-Za-z.]{1,80})"/.exec(text);
  return found?.[1] ?? 'unknown';
}
