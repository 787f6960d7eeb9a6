import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { openLink } from '../../../src/api/connect/access.ts';
import { TamperedError } from '../../../src/crypto/aead.ts';
import { getCredentials, putCredentials } from '../../../src/store/credentials.ts';
import { removeTenant } from '../../../src/store/removal.ts';
import { createSecretBox } from '../../../src/store/secret-box.ts';
import { createTenant, getTenant, withdrawConnectLinks } from '../../../src/store/tenants.ts';
import { connectLinks, LINK_LIFE_MS } from '../../../src/tenants/connect-links.ts';
import { describeStore } from '../../support/store/store-suite.ts';

const secretKeys = [{ id: 'k1', key: randomBytes(32).toString('base64') }];
const links = connectLinks(secretKeys);
const secretBox = createSecretBox(secretKeys);
const given = { host: 'acme.gladly.com', email: 'ann@example.com', apiToken: 'token-1' };

describeStore('a tenant whose id an erased one had', (store) => {
  const opens = async (token: string) => (await openLink(store.db, links, token, new Date())) !== null;

  async function linkTo(tenantId: string): Promise<string> {
    const tenant = await getTenant(store.db, tenantId);
    if (tenant === null) throw new Error(`There is no ${tenantId}.`);
    const { incarnation, connectLinkEpoch: epoch } = tenant;
    return links.sign({ tenantId, incarnation, epoch, expiresAt: Date.now() + LINK_LIFE_MS });
  }

  async function replace(tenantId: string): Promise<void> {
    await removeTenant(store.db, tenantId);
    await createTenant(store.db, { tenantId, name: 'Second customer', retentionDays: 4 });
  }

  it('is opened by no link of that one, withdrawn or not, and by its own', async () => {
    const tenantId = await store.tenant();
    const first = await linkTo(tenantId);
    await withdrawConnectLinks(store.db, tenantId);
    const second = await linkTo(tenantId);
    expect([await opens(first), await opens(second)]).toEqual([false, true]);
    await replace(tenantId);
    expect([await opens(first), await opens(second)]).toEqual([false, false]);
    // Nor when its own links have been withdrawn as often as those of the first.
    await withdrawConnectLinks(store.db, tenantId);
    expect([await opens(first), await opens(second)]).toEqual([false, false]);
    expect(await opens(await linkTo(tenantId))).toBe(true);
  });

  it('cannot have the credentials of that one', async () => {
    const tenantId = await store.tenant();
    await putCredentials(store.db, secretBox, tenantId, given);
    const { rows } = await store.db.query<{ sealed: string }>('SELECT sealed FROM credentials WHERE tenant_id = $1', [
      tenantId,
    ]);
    await replace(tenantId);
    await putCredentials(store.db, secretBox, tenantId, { ...given, apiToken: 'token-2' });
    expect(await getCredentials(store.db, secretBox, tenantId, 1)).toMatchObject({ apiToken: 'token-2' });
    await store.db.query('UPDATE credentials SET sealed = $2 WHERE tenant_id = $1', [tenantId, rows[0]?.sealed ?? '']);
    await expect(getCredentials(store.db, secretBox, tenantId, 1)).rejects.toThrow(TamperedError);
  });

  it('from before there were incarnations keeps its links and its seals, and its successor has neither', async () => {
    const tenantId = await store.tenant();
    await store.db.query(`UPDATE tenants SET incarnation = '' WHERE tenant_id = $1`, [tenantId]);
    await putCredentials(store.db, secretBox, tenantId, given);
    const { rows } = await store.db.query<{ sealed: string }>('SELECT sealed FROM credentials WHERE tenant_id = $1', [
      tenantId,
    ]);
    // As releases before this one sealed it.
    expect(secretBox.decrypt(rows[0]?.sealed ?? '', { tenantId, purpose: 'credentials/1' })).toContain('token-1');
    const link = await linkTo(tenantId);
    expect(await opens(link)).toBe(true);
    await replace(tenantId);
    expect(await opens(link)).toBe(false);
  });
});
