import type { Clock } from '../../contracts/clock.ts';
import { Collector } from './collector.ts';
import type { IngestLog, Waker } from './ports.ts';

/** Wakes tenants whose events were accepted. A wake that is lost all the same is made up for by the sweep of parked tenants. */
export class WakeNotifier {
  readonly #collector: Collector<string>;

  constructor(waker: Waker, log: IngestLog, clock?: Clock) {
    this.#collector = new Collector({ name: 'wakes', write: (tenantIds) => waker.wake(tenantIds), log, clock });
  }

  /** An event of this tenant has become durable: it is woken by a call to Waker that begins now or later. */
  notify(tenantId: string): void {
    this.#collector.add(tenantId, tenantId, true);
  }

  close(): Promise<void> {
    return this.#collector.close();
  }
}
