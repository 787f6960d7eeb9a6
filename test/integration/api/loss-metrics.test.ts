import { Registry } from '@prometheus-io/client';
import { expect, it } from 'vitest';
import { openDb } from '../../../src/store/db.ts';
import { raiseRetentionAlert } from '../../../src/store/retention-alerts.ts';
import { registerTenantMetrics } from '../../../src/tenants/metrics.ts';
import { changeTenant, recordKeysSeen } from '../../../src/tenants/projection.ts';
import { describeStore } from '../../support/store/store-suite.ts';

describeStore('tenants that are about to lose events, in the metrics', (store) => {
  it('are counted by level, whatever the level', async () => {
    for (const level of [80, 80, 95] as const) await raiseRetentionAlert(store.db, await store.tenant(), level);
    await store.tenant();
    const registry = new Registry();
    registerTenantMetrics(registry, store.db);
    const text = await registry.metrics();
    expect(text).toContain('retention_alert_tenants{percent="50"} 0');
    expect(text).toContain('retention_alert_tenants{percent="80"} 2');
    expect(text).toContain('retention_alert_tenants{percent="95"} 1');
  });

  it('so are connected tenants whose webhook is called with a wrong key', async () => {
    const [refused, connecting, mended] = [await store.tenant(), await store.tenant(), await store.tenant()];
    for (const tenantId of [refused, mended]) await changeTenant(store.db, tenantId, { state: 'connected' });
    const at = new Date();
    const seen = (tenantId: string, right: boolean) =>
      recordKeysSeen(store.db, [{ tenantId, rightAt: right ? at : null, wrongAt: right ? null : at }]);
    for (const tenantId of [refused, connecting, mended]) await seen(tenantId, false);
    await seen(mended, true);
    const registry = new Registry();
    registerTenantMetrics(registry, store.db);
    expect(await registry.metrics()).toContain('webhook_refused_tenants{reason="wrong_key"} 1');
  });

  it('are left out while Postgres is out, and nothing else is', async () => {
    const gone = openDb('postgres://postgres@127.0.0.1:1/postgres', { max: 1, name: 'gone', connectTimeoutMs: 500 });
    const registry = new Registry();
    registerTenantMetrics(registry, gone);
    const text = await registry.metrics();
    expect(text).toContain('# TYPE retention_alert_tenants gauge');
    expect(text).not.toContain('percent=');
    expect(text).not.toContain('reason=');
    await gone.close();
  });
});
