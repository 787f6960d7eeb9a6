import type { Registry } from '@prometheus-io/client';
import { type BatchingLimits, createBatchingSender } from '../../queue/batching-sender.ts';
import type { BatchTransport } from '../../queue/sender.ts';
import type { DbOptions } from '../../store/db.ts';
import { RateLimit, type RateLimits, WRONG_KEY_LIMITS } from '../http/rate-limit.ts';
import { Breaker, type BreakerSettings } from './breaker.ts';
import { DeliveryRecorder } from './delivery-recorder.ts';
import { createIngestEngine } from './engine.ts';
import { createFailureTeller } from './failures.ts';
import { createIngestHandler, type IngestHandler } from './handler.ts';
import { createKeys, type Keys, type KeyTimes } from './keys.ts';
import { createLedgerBatcher, type LedgerLimits } from './ledger-batcher.ts';
import { createIngestMetrics } from './metrics.ts';
import type { DeliveryStats, IngestLog, KeySource, LedgerWriter, Waker } from './ports.ts';
import { WakeNotifier } from './wake-notifier.ts';

/**
 * A connection pool for ingest alone. Both times are below LEDGER.timeoutMs (ledger-batcher.ts), so that a statement or connection that
 * hangs fails while its deliveries can still be answered.
 */
export const INGEST_DB = {
  max: 5,
  name: 'ingest',
  statementTimeoutMs: 5_000,
  connectTimeoutMs: 2_000,
} as const satisfies DbOptions;

export interface IngestDeps {
  readonly keySource: KeySource;
  readonly transport: BatchTransport;
  readonly ledger: LedgerWriter;
  readonly deliveryStats: DeliveryStats;
  readonly waker: Waker;
  readonly registry: Registry;
  readonly log: IngestLog;
  /** Number of own balancers in front of this process. */
  readonly proxies: number;
  readonly tuning?: IngestTuning;
}

/** Limits that differ from the defaults: tests set smaller ones. */
export interface IngestTuning {
  readonly batching?: Partial<BatchingLimits>;
  readonly ledger?: Partial<LedgerLimits>;
  readonly keys?: Partial<KeyTimes>;
  readonly flood?: Partial<RateLimits>;
  readonly breaker?: Partial<BreakerSettings>;
}

/** The running webhook endpoint. */
export interface Ingest {
  readonly handler: IngestHandler;
  /** Readiness checks ask `isLoaded`. */
  readonly keys: Keys;
  /** True while SQS does not take deliveries, as of the last of them. */
  readonly isSqsOut: boolean;
  /**
   * Call it after the last request has been answered. Writes what is still held in memory and closes the transport; the other
   * dependencies are the caller's to close.
   */
  close(): Promise<void>;
}

/** Builds the webhook endpoint from its dependencies and begins to load the keys. */
export function createIngest(deps: IngestDeps): Ingest {
  const { log, tuning = {} } = deps;
  const metrics = createIngestMetrics(deps.registry, () => sender.pending + ledger.pending);
  const keys = createKeys(deps.keySource, log, tuning.keys);
  const wakes = new WakeNotifier(deps.waker, log);
  const recorder = new DeliveryRecorder(deps.deliveryStats, log);
  const sender = createBatchingSender(deps.transport, { onCall: metrics.called, ...tuning.batching });
  const ledger = createLedgerBatcher(
    deps.ledger,
    (error, rows) => log.warn({ event: 'ledger.write_failed', err: error, rows }, 'ledger: write of deliveries failed'),
    tuning.ledger,
  );
  const breaker = new Breaker((state) => {
    metrics.breaker(state);
    if (state === 'open') log.warn({ event: 'sqs.breaker_opened' }, 'SQS: calls fail, deliveries go into the ledger');
    if (state === 'closed') log.info({ event: 'sqs.breaker_closed' }, 'SQS: calls work again');
  }, tuning.breaker);
  const engine = createIngestEngine({
    sender,
    breaker,
    ledger,
    wakes,
    recorder,
    onFailure: createFailureTeller(metrics, log),
  });
  const handler = createIngestHandler({
    keys,
    engine,
    recorder,
    metrics,
    log,
    wrongKeys: new RateLimit({ ...WRONG_KEY_LIMITS, ...tuning.flood }),
    proxies: deps.proxies,
  });
  return {
    handler,
    keys,
    get isSqsOut() {
      return breaker.state !== 'closed';
    },
    async close() {
      keys.close();
      await Promise.all([sender.close(), ledger.close()]);
      await Promise.all([wakes.close(), recorder.close()]);
    },
  };
}
