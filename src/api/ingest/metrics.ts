import { Counter, Gauge, Histogram, type Registry } from '@prometheus-io/client';
import type { SendFailure } from '../../queue/errors.ts';
import type { BreakerState } from './breaker.ts';
import { type Outcome, outcomeNames } from './outcomes.ts';

/** The metrics of the endpoint. They are updated for each delivery, so each call must be cheap. */
export interface IngestMetrics {
  answered(outcome: Outcome, ms: number): void;
  /** A SendMessageBatch call with this many messages has ended. */
  called(messages: number, ms: number): void;
  breaker(state: BreakerState): void;
  /** SQS did not accept a delivery. */
  failed(failure: SendFailure): void;
}

/** SQS has some dozens of error names. Further ones count as `other`, so the number of series is bounded. */
const MAX_CODES = 50;

/** Registers the metrics. `pending`: number of deliveries in memory that are not durable yet, asked when metrics are read. */
export function createIngestMetrics(registry: Registry, pending: () => number): IngestMetrics {
  const answers = new Histogram({
    name: 'ingest_delivery_seconds',
    help: 'Time from the request headers to the answer of a webhook delivery, by outcome',
    labelNames: ['outcome'],
    // From one SQS call (some milliseconds) to the time that Gladly waits (15 s).
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15],
    registers: [registry],
  });
  const batches = new Histogram({
    name: 'ingest_batch_messages',
    help: 'Messages in one SendMessageBatch call',
    buckets: [1, 2, 4, 6, 8, 10],
    registers: [registry],
  });
  const calls = new Histogram({
    name: 'ingest_sqs_call_seconds',
    help: 'Time of one SendMessageBatch call',
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5],
    registers: [registry],
  });
  const state = new Gauge({
    name: 'ingest_breaker_open',
    help: '1 while deliveries go into the ledger because SQS is out, 0.5 while SQS is tried again, 0 otherwise',
    registers: [registry],
  });
  const changes = new Counter({
    name: 'ingest_breaker_changes_total',
    help: 'Changes of the breaker, by the state it entered',
    labelNames: ['state'],
    registers: [registry],
  });
  const failures = new Counter({
    name: 'ingest_sqs_failures_total',
    help: 'Deliveries that SQS did not accept, by kind of failure and the code of SQS or of the system',
    labelNames: ['kind', 'code'],
    registers: [registry],
  });
  const codes = new Set<string>();
  new Gauge({
    name: 'ingest_pending_deliveries',
    help: 'Deliveries that are not durable yet',
    registers: [registry],
    collect() {
      this.set(pending());
    },
  });
  // Labels are looked up once, because a lookup costs more than the count itself. All series exist from the start, with 0.
  for (const outcome of outcomeNames) answers.zero({ outcome });
  for (const entered of ['closed', 'half_open', 'open'] as const) changes.inc({ state: entered }, 0);
  const byOutcome = new Map(outcomeNames.map((outcome) => [outcome, answers.labels(outcome)]));
  const level = { closed: 0, half_open: 0.5, open: 1 } as const;

  return {
    answered: (outcome, ms) => byOutcome.get(outcome)?.observe(ms / 1_000),
    called(messages, ms) {
      batches.observe(messages);
      calls.observe(ms / 1_000);
    },
    breaker(entered) {
      state.set(level[entered]);
      changes.inc({ state: entered });
    },
    failed({ kind, code }) {
      if (codes.size < MAX_CODES) codes.add(code);
      failures.inc({ kind, code: codes.has(code) ? code : 'other' });
    },
  };
}
