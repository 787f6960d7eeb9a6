import { Gauge, type Registry } from '@prometheus-io/client';
import type { Db } from '../store/db.ts';
import { RETENTION_ALERTS, retentionAlertCounts } from '../store/retention-alerts.ts';
import { countFindings, countKeysRefused } from '../store/tenant-states.ts';
import { signsOfLife } from '../store/workers.ts';
import { FINDINGS } from './finding-kinds.ts';

/** Registers the numbers of tenants that lose events, or are about to, or need somebody to look. Read from Postgres at each scrape. */
export function registerTenantMetrics(registry: Registry, db: Db): void {
  registerSweepAge(registry, db);
  register(
    registry,
    'tenant_findings',
    'Tenants whose queue is missing or refused, that have dead letters or rejected events, whose workflows stand still or whose events do not go on, by code of the problem',
    'code',
    async () => {
      const counts = await countFindings(db);
      return FINDINGS.map((code) => [code, counts.get(code) ?? 0]);
    },
  );
  register(
    registry,
    'webhook_refused_tenants',
    'Connected tenants whose webhook is called with a wrong key, with no right one since: their events are lost',
    'reason',
    async () => [['wrong_key', await countKeysRefused(db)]],
  );
  register(
    registry,
    'retention_alert_tenants',
    'Tenants whose oldest waiting event has used up this many percent of its time in SQS',
    'percent',
    async () => {
      const counts = await retentionAlertCounts(db);
      return RETENTION_ALERTS.map((percent) => [percent, counts.get(percent) ?? 0]);
    },
  );
}

/** Registers when all tenants were last looked at. Read from Postgres at each scrape; without a value while none were, or Postgres is out. */
function registerSweepAge(registry: Registry, db: Db): void {
  new Gauge({
    name: 'sweep_age_seconds',
    help: 'Seconds since all tenants were last looked at; a sweep is due every 5 minutes unless SWEEP_MS says otherwise',
    registers: [registry],
    async collect() {
      const { sweptMs } = await signsOfLife(db).catch(() => ({ sweptMs: null }));
      if (sweptMs === null) this.reset();
      else this.set(sweptMs / 1_000);
    },
  });
}

/** A gauge with one series for each value of its label. With Postgres out it has none: that is unknown, and the other metrics are served all the same. */
function register(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  read: () => Promise<readonly (readonly [value: string | number, tenants: number])[]>,
): void {
  new Gauge({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    async collect() {
      try {
        for (const [value, tenants] of await read()) this.set({ [label]: value }, tenants);
      } catch {
        this.reset();
      }
    },
  });
}
