import type { Registry } from 'prom-client';
import { type BatchingLimits, createBatchingSender } from '../../queue/batching-sender.ts';
import type { BatchTransport } from '../../queue/sender.ts';
import { Breaker, type BreakerSettings } from './breaker.ts';
import { DeliveryRecorder } from './delivery-recorder.ts';
import { createIngestEngine } from './engine.ts';
import { createIngestHandler, type IngestHandler } from './handler.ts';
import { createKeys, type Keys, type KeyTimes } from './keys.ts';
import { createLedgerBatcher, type LedgerLimits } from './ledger-batcher.ts';
import { createIngestMetrics } from './metrics.ts';
import type { DeliveryStats, IngestLog, KeySource, LedgerWriter, Waker } from './ports.ts';
import { WakeNotifier } from './wake-notifier.ts';
import { type FloodLimits, WrongKeys } from './wrong-keys.ts';

export interface IngestParts {
  readonly keySource: KeySource;
  readonly transport: BatchTransport;
  readonly ledger: LedgerWriter;
  readonly deliveryStats: DeliveryStats;
  readonly waker: Waker;
  readonly registry: Registry;
  readonly log: IngestLog;
  /** Balancers of ours in front of this process. */
  readonly proxies: number;
  readonly tuning?: IngestTuning;
}

/** Limits that tests make smaller. */
export interface IngestTuning {
  readonly batching?: Partial<BatchingLimits>;
  readonly ledger?: Partial<LedgerLimits>;
  readonly keys?: Partial<KeyTimes>;
  readonly flood?: Partial<FloodLimits>;
  readonly breaker?: Partial<BreakerSettings>;
}

/** The webhook endpoint, put together. */
export interface Ingest {
  readonly handler: IngestHandler;
  /** `refresh()` after a key was made or revoked in this process; `isLoaded` belongs into readiness. */
  readonly keys: Keys;
  /** After the last request was answered: flushes what is not written yet. Sources and transports stay their owner's, except the transport. */
  close(): Promise<void>;
}

export function createIngest(parts: IngestParts): Ingest {
  const { log, tuning = {} } = parts;
  const metrics = createIngestMetrics(parts.registry, () => sender.pending + ledger.pending);
  const keys = createKeys(parts.keySource, log, tuning.keys);
  const wakes = new WakeNotifier(parts.waker, log);
  const recorder = new DeliveryRecorder(parts.deliveryStats, log);
  const sender = createBatchingSender(parts.transport, { onCall: metrics.called, ...tuning.batching });
  const ledger = createLedgerBatcher(
    parts.ledger,
    (error, rows) => log.warn({ err: error, rows }, 'deliveries could not be written into the ledger'),
    tuning.ledger,
  );
  const breaker = new Breaker((state) => {
    metrics.breaker(state);
    if (state === 'open') log.warn({ state }, 'SQS is out: deliveries go straight into the ledger');
    if (state === 'closed') log.info({ state }, 'SQS works again');
  }, tuning.breaker);
  const engine = createIngestEngine({ sender, breaker, ledger, wakes, recorder });
  const handler = createIngestHandler({
    keys,
    engine,
    recorder,
    metrics,
    log,
    wrongKeys: new WrongKeys(tuning.flood),
    proxies: parts.proxies,
  });
  return {
    handler,
    keys,
    async close() {
      keys.close();
      await Promise.all([sender.close(), ledger.close()]);
      await Promise.all([wakes.close(), recorder.close()]);
    },
  };
}
