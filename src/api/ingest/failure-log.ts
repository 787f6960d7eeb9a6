import { type Clock, systemClock } from '../../contracts/clock.ts';
import type { SendFailure } from '../../queue/errors.ts';
import type { IngestLog } from './ports.ts';

/** The same failure is logged once in this time, in milliseconds, with the number of times that it was seen since. */
const EVERY_MS = 60_000;
/** Failures that are told apart; more than these are not logged until one of them is due again. */
const MAX_KINDS = 1_000;

interface Seen {
  loggedAt: number;
  count: number;
}

/**
 * Logs why SQS does not take messages. Deliveries are kept in the ledger meanwhile, so without it nobody would know. What is about one queue is told
 * with its tenant; what is about SQS as a whole by its code alone.
 */
export class FailureLog {
  readonly #log: IngestLog;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #seen = new Map<string, Seen>();

  constructor(log: IngestLog, clock: Pick<Clock, 'now'> = systemClock) {
    this.#log = log;
    this.#clock = clock;
  }

  note({ kind, code }: SendFailure, tenantId: string): void {
    const about = kind === 'refused' ? { tenantId } : {};
    const key = `${kind} ${code} ${kind === 'refused' ? tenantId : ''}`;
    const now = this.#clock.now();
    const seen = this.#seen.get(key) ?? { loggedAt: Number.NEGATIVE_INFINITY, count: 0 };
    seen.count += 1;
    if (now - seen.loggedAt >= EVERY_MS && (this.#seen.has(key) || this.#hasRoom(now))) {
      const fields = { event: 'sqs.send_failed', kind, code, deliveries: seen.count, ...about };
      this.#log.warn(fields, `SQS: sending failed (${code}), deliveries go into the ledger`);
      this.#seen.set(key, { loggedAt: now, count: 0 });
    }
  }

  #hasRoom(now: number): boolean {
    if (this.#seen.size < MAX_KINDS) return true;
    for (const [key, { loggedAt }] of this.#seen) if (now - loggedAt >= EVERY_MS) this.#seen.delete(key);
    return this.#seen.size < MAX_KINDS;
  }
}
