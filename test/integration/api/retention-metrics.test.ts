import { Registry } from '@prometheus-io/client';
import { expect, it } from 'vitest';
import { openDb } from '../../../src/store/db.ts';
import { raiseRetentionAlert } from '../../../src/store/retention-alerts.ts';
import { registerRetentionMetrics } from '../../../src/tenants/metrics.ts';
import { describeStore } from '../../support/store/store-suite.ts';

describeStore('retention alerts in the metrics', (store) => {
  it('are counted by level, whatever the level', async () => {
    for (const level of [80, 80, 95] as const) await raiseRetentionAlert(store.db, await store.tenant(), level);
    await store.tenant();
    const registry = new Registry();
    registerRetentionMetrics(registry, store.db);
    const text = await registry.metrics();
    expect(text).toContain('retention_alert_tenants{percent="50"} 0');
    expect(text).toContain('retention_alert_tenants{percent="80"} 2');
    expect(text).toContain('retention_alert_tenants{percent="95"} 1');
  });

  it('are left out while Postgres is out, and nothing else is', async () => {
    const gone = openDb('postgres://postgres@127.0.0.1:1/postgres', { max: 1, name: 'gone', connectTimeoutMs: 500 });
    const registry = new Registry();
    registerRetentionMetrics(registry, gone);
    const text = await registry.metrics();
    expect(text).toContain('# TYPE retention_alert_tenants gauge');
    expect(text).not.toContain('percent=');
    await gone.close();
  });
});
