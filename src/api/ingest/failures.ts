import { type Clock, systemClock } from '../../contracts/clock.ts';
import type { SendFailure } from '../../queue/errors.ts';
import type { IngestMetrics } from './metrics.ts';
import type { IngestLog } from './ports.ts';

/** One line of the log for each tenant in this time, in ms: a refused queue may get hundreds of deliveries a second. */
const QUIET_MS = 60_000;
/** Tenants that are remembered at most. */
const REMEMBERED = 10_000;

/**
 * Tells of deliveries that SQS did not accept: each is counted. A queue that SQS refuses (it does not exist) is logged with its tenant, since the breaker,
 * which is about SQS as a whole, does not see it; credentials or rights that it refuses are logged once for all tenants.
 */
export function createFailureTeller(
  metrics: Pick<IngestMetrics, 'failed'>,
  log: Pick<IngestLog, 'warn'>,
  clock: Pick<Clock, 'now'> = systemClock,
): (tenantId: string, failure: SendFailure) => void {
  const lastLine = new Map<string, number>();
  return (tenantId, failure) => {
    metrics.failed(failure);
    if (failure.kind !== 'refused' && failure.kind !== 'denied') return;
    // No tenant's id is empty.
    const about = failure.kind === 'refused' ? tenantId : '';
    const now = clock.now();
    if (now - (lastLine.get(about) ?? Number.NEGATIVE_INFINITY) < QUIET_MS) return;
    if (lastLine.size >= REMEMBERED) lastLine.clear();
    lastLine.set(about, now);
    if (failure.kind === 'denied') {
      log.warn(
        { event: 'sqs.denied', code: failure.code },
        'SQS: refuses our credentials or rights, deliveries go into the ledger',
      );
      return;
    }
    log.warn(
      { event: 'queue.refused', tenantId, code: failure.code },
      'queue: refused by SQS, deliveries go into the ledger',
    );
  };
}
