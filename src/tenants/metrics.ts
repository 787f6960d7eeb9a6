import { Gauge, type Registry } from '@prometheus-io/client';
import type { Db } from '../store/db.ts';
import { RETENTION_ALERTS, retentionAlertCounts } from '../store/retention-alerts.ts';
import { countFindings, countKeysRefused } from '../store/tenant-states.ts';
import { FINDINGS } from './finding-kinds.ts';

/** Registers the number of tenants with each finding of the sweep. Read from Postgres at each scrape. */
export function registerFindingMetrics(registry: Registry, db: Db): void {
  new Gauge({
    name: 'tenant_findings',
    help: 'Tenants whose queue is missing or refused, that have dead letters or rejected events, by code of the problem',
    labelNames: ['code'],
    registers: [registry],
    async collect() {
      try {
        const counts = await countFindings(db);
        for (const code of FINDINGS) this.set({ code }, counts.get(code) ?? 0);
      } catch {
        // With Postgres out it is unknown; the other metrics are served all the same.
        this.reset();
      }
    },
  });
}

/** Registers the numbers of tenants that are about to lose events, or lose them. Read from Postgres at each scrape. */
export function registerLossMetrics(registry: Registry, db: Db): void {
  new Gauge({
    name: 'webhook_refused_tenants',
    help: 'Connected tenants whose webhook is called with a wrong key, with no right one since: their events are lost',
    labelNames: ['reason'],
    registers: [registry],
    async collect() {
      try {
        this.set({ reason: 'wrong_key' }, await countKeysRefused(db));
      } catch {
        // Unknown, and not none.
        this.reset();
      }
    },
  });
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
