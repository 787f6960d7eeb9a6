import { Gauge, type Registry } from '@prometheus-io/client';
import type { Db } from '../store/db.ts';
import { RETENTION_ALERTS, retentionAlertCounts } from '../store/retention-alerts.ts';

/** For whoever watches all tenants: how many are about to lose events. Asked of Postgres when metrics are read. */
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
        // With Postgres out nobody knows; all other metrics are to be had all the same.
        this.reset();
      }
    },
  });
}
