import type { Clock } from '../../contracts/clock.ts';
import { Collector } from './collector.ts';
import type { IngestLog, Waker } from './ports.ts';

/** Wakes parked tenants after their events were stored, in batches. If a wake is lost because the process ends, the sweep finds the tenant. */
export class WakeNotifier {
  readonly #collector: Collector<string>;

  constructor(waker: Waker, log: IngestLog, clock?: Clock) {
    this.#collector = new Collector({ name: 'wakes', write: (tenantIds) => waker.wake(tenantIds), log, clock });
  }

  /** Call it when an event of the tenant has become durable. The tenant is part of a `Waker.wake` call that begins now or later. */
  notify(tenantId: string): void {
    this.#collector.add(tenantId, tenantId, true);
  }

  /** Wakes the tenants that are left. Resolves even if that fails. */
  close(): Promise<void> {
    return this.#collector.close();
  }
}
