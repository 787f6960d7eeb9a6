import { Gauge, type Registry } from '@prometheus-io/client';
import type { Db } from '../store/db.ts';
import { RETENTION_ALERTS, retentionAlertCounts } from '../store/retention-alerts.ts';

/** Registers the number of tenants that are about to lose events. Read from Postgres at each scrape. */
export function registerRetentionMetrics(registry: Registry, db: Db): void {
  new Gauge({
    name: 'retention_alert_tenants',
    help: 'Tenants whose oldest waiting event has used up this many percent of its time in SQS',
    labelNames: ['percent'],
    registers: [registry],
    async collect() {
      try {
        const counts = await retentionAlertCounts(db);
        for (const percent of RETENTION_ALERTS) this.set({ percent }, counts.get(percent) ?? 0);
      } catch {
        // With Postgres out it is unknown; the other metrics are served all the same.
        this.reset();
      }
    },
  });
}
