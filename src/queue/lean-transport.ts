import { Buffer } from 'node:buffer';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { SignatureV4 } from '@smithy/signature-v4';
import { Pool } from 'undici';
import { type BatchAnswer, readEntryResults } from './entry-results.ts';
import { failureFrom, failureOf } from './errors.ts';
import { type BatchTransport, failed, type SendResult } from './sender.ts';
import { NodeSha256, sha256Hex } from './sha256.ts';

export interface LeanOptions {
  /** Where credentials and region come from: the same chain as every other call. */
  readonly client: SQSClient;
  /** As the client's. Without one, the queue's own address says where. */
  readonly endpoint?: string;
  readonly connections?: number;
}

/**
 * SendMessageBatch, and nothing else, as a signed request on pooled connections: the SDK's middleware costs several times as much
 * CPU a call (bench/ingest; figures in docs/benchmarks.md). AWS's own signer and SQS's JSON protocol (x-amz-json-1.0).
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
      // Keyed by queue when there is no endpoint: bounded by the tenants, but not for ever.
      if (origins.size > 10_000) origins.clear();
      origins.set(origin, address);
    }
    return address;
  }

  function poolOf(address: URL): Pool {
    let pool = pools.get(address.origin);
    if (pool === undefined) {
      pool = new Pool(address.origin, {
        // As many as the sender makes calls at the same time.
        connections: options.connections ?? 16,
        // One call a connection: a slow one holds back no other.
        pipelining: 1,
        // Within the region a connection takes milliseconds, with TLS tens.
        connect: { timeout: 1_000 },
        // Below the idle time after which AWS's balancers close (not documented; 20 s are known to work), above a lull.
        keepAliveTimeout: 15_000,
        // The timer below is the one that counts.
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
          // A kept connection that the other side had closed: once more on a fresh one. A second copy is harmless.
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

/** `{"__type": "com.amazonaws.sqs#QueueDoesNotExist"}`; the message itself may repeat what was sent, so it is left alone. */
function errorCode(text: string): string {
  const found = /"__type"\s*:\s*"(?:[^"#]*#)?([A-Za-z.]{1,80})"/.exec(text);
  return found?.[1] ?? 'unknown';
}
