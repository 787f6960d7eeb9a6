import { expect, it } from 'vitest';
import { listActions, recordAction } from '../../../src/store/actions.ts';
import { writeConversations } from '../../../src/store/conversations/write.ts';
import { beginDrain } from '../../../src/store/drains.ts';
import { UnknownTenantError } from '../../../src/store/errors.ts';
import { takeIn } from '../../../src/store/ledger/take-in.ts';
import { removeTenant } from '../../../src/store/removal.ts';
import { clearRetentionAlert, raiseRetentionAlert } from '../../../src/store/retention-alerts.ts';
import {
  createTenant,
  getTenant,
  listTenants,
  updateTenant,
  withdrawConnectLinks,
} from '../../../src/store/tenants.ts';
import { issueWebhookKey, webhookKeysSince } from '../../../src/store/webhook-keys.ts';
import { at, event, item, reading, write } from '../../support/store/samples.ts';
import { describeStore } from '../../support/store/store-suite.ts';

describeStore('tenants', (store) => {
  it('creates a tenant once', async () => {
    const tenant = { tenantId: 'acme', name: 'Acme <b>', retentionDays: 4 };
    expect(await createTenant(store.db, tenant)).toBe('created');
    expect(await createTenant(store.db, { ...tenant, name: 'Other' })).toBe('exists');
    expect(await getTenant(store.db, 'acme')).toMatchObject({
      name: 'Acme <b>',
      state: 'connecting',
      retentionDays: 4,
      retentionPolicy: 'extend',
      retentionAlert: 0,
      webhookSetup: 'by_hand',
      credentialsVersion: 0,
      adoptedCredentialsVersion: null,
      organization: null,
    });
    expect(await getTenant(store.db, 'nobody')).toBeNull();
  });

  it('changes only what it is told to', async () => {
    const tenantId = await store.tenant();
    const before = await getTenant(store.db, tenantId);
    const change = { host: 'acme.gladly.com', organization: { name: 'A\0' }, retentionDays: 14, disconnectedAt: at(0) };
    expect(await updateTenant(store.db, tenantId, change)).toEqual({
      ...before,
      ...change,
      organization: { name: 'A\ufffd' },
    });
    expect(await updateTenant(store.db, tenantId, { host: null, organization: null, disconnectedAt: null })).toEqual({
      ...before,
      retentionDays: 14,
    });
    expect(await updateTenant(store.db, tenantId, {})).toEqual({ ...before, retentionDays: 14 });
    expect(await updateTenant(store.db, 'nobody', { name: 'x' })).toBeNull();
  });

  it('lists pages by id, and finds by part of the id or the name', async () => {
    for (const [tenantId, name] of [
      ['z-1', 'Zed 100%'],
      ['z-2', 'Ödön'],
      ['z-3', 'zed_b'],
    ] as const) {
      await createTenant(store.db, { tenantId, name, retentionDays: 4 });
    }
    const ids = async (page: Parameters<typeof listTenants>[1]) =>
      (await listTenants(store.db, page)).map(({ tenantId }) => tenantId);
    expect(await ids({ after: 'z', limit: 2 })).toEqual(['z-1', 'z-2']);
    expect(await ids({ after: 'z-2', limit: 2 })).toEqual(['z-3']);
    expect(await ids({ limit: 10, search: 'ZED' })).toEqual(['z-1', 'z-3']);
    expect(await ids({ limit: 10, search: '%' })).toEqual(['z-1']);
    expect(await ids({ limit: 10, search: 'Z-2' })).toEqual(['z-2']);
  });

  it('raises each level of the retention alert once', async () => {
    const tenantId = await store.tenant();
    const raised = [];
    for (const level of [50, 50, 95, 80] as const) raised.push(await raiseRetentionAlert(store.db, tenantId, level));
    expect(raised).toEqual([true, false, true, false]);
    expect(await clearRetentionAlert(store.db, tenantId)).toBe(true);
    expect(await clearRetentionAlert(store.db, tenantId)).toBe(false);
  });

  it('withdraws connect links', async () => {
    const tenantId = await store.tenant();
    expect(await withdrawConnectLinks(store.db, tenantId, at(60))).toMatchObject({ connectLinkEpoch: 2 });
    expect(await getTenant(store.db, tenantId)).toMatchObject({ connectLinkEpoch: 2, connectLinkChangesUntil: at(60) });
    // A new link has no more rights than it is given.
    expect(await withdrawConnectLinks(store.db, tenantId)).toMatchObject({
      connectLinkEpoch: 3,
      connectLinkChangesUntil: null,
    });
    expect(await withdrawConnectLinks(store.db, 'nobody')).toBeNull();
  });

  it('keeps a history of who did what, in pages from the newest', async () => {
    const tenantId = await store.tenant();
    for (const n of [1, 2, 3]) {
      await recordAction(store.db, {
        tenantId,
        at: at(n),
        by: 'ann',
        action: 'pause',
        reason: `because ${n}`,
        details: { n },
      });
    }
    const page = await listActions(store.db, tenantId, { limit: 2 });
    expect(page.map(({ by, reason, details, at: time }) => [by, reason, details, time])).toEqual([
      ['ann', 'because 3', { n: 3 }, at(3)],
      ['ann', 'because 2', { n: 2 }, at(2)],
    ]);
    const rest = await listActions(store.db, tenantId, { limit: 2, before: page.at(-1)?.actionId ?? 0 });
    expect(rest.map(({ reason }) => reason)).toEqual(['because 1']);
  });

  it('removes all of a tenant and nothing of others', async () => {
    const [tenantId, other] = [await store.tenant(), await store.tenant()];
    for (const id of [tenantId, other]) {
      const fence = await beginDrain(store.db, id, 'w');
      await takeIn(store.db, id, [event('e1', 'c1'), event('e2', 'c2')]);
      await store.db.transaction((tx) =>
        writeConversations(tx, id, fence, [write('c1', { reading: reading('OPEN', [item('i1')], at(1)) })]),
      );
      await issueWebhookKey(store.db, id);
      await recordAction(store.db, { tenantId: id, at: at(0), by: 'ann', action: 'x', reason: null });
    }
    const { revision } = await webhookKeysSince(store.db, 0);
    const before = await rowsOf(other);

    expect(await removeTenant(store.db, tenantId)).toBe(true);
    expect(await removeTenant(store.db, tenantId)).toBe(false);

    expect(await rowsOf(tenantId)).toEqual({ webhook_keys: 1 });
    expect(await rowsOf(other)).toEqual(before);
    expect((await webhookKeysSince(store.db, revision)).keys).toMatchObject([
      { tenantId, revokedAt: expect.any(Date) },
    ]);
    await expect(takeIn(store.db, tenantId, [event('e3', 'c1')])).rejects.toThrow(UnknownTenantError);
    await expect(beginDrain(store.db, tenantId, 'w')).rejects.toThrow(UnknownTenantError);
  });

  /** Rows of the tenant in every table that has any, so that a table added later is not forgotten by removeTenant. */
  async function rowsOf(tenantId: string): Promise<Record<string, number>> {
    const { rows } = await store.db.query<{ table: string }>(
      `SELECT table_name AS table FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'tenant_id' ORDER BY 1`,
    );
    const found: Record<string, number> = {};
    for (const { table } of rows) {
      const { rows: counted } = await store.db.query<{ n: number }>(
        `SELECT count(*) AS n FROM ${table} WHERE tenant_id = $1`,
        [tenantId],
      );
      if (counted[0]?.n) found[table] = counted[0].n;
    }
    return found;
  }
});
