import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { TamperedError } from '../../../src/crypto/aead.ts';
import {
  adoptCredentials,
  deleteCredentials,
  deleteOlderCredentials,
  getCredentials,
  putCredentials,
  resealCredentials,
  sealedCredentials,
} from '../../../src/store/credentials.ts';
import type { Db } from '../../../src/store/db.ts';
import { UnknownTenantError } from '../../../src/store/errors.ts';
import { createSecretBox } from '../../../src/store/secret-box.ts';
import {
  hashWebhookKey,
  issueWebhookKey,
  liveWebhookKeys,
  recordKeyUses,
  revokeWebhookKey,
  webhookKeysSince,
} from '../../../src/store/webhook-keys.ts';
import { heldOpen } from '../../support/store/held-open.ts';
import { at } from '../../support/store/samples.ts';
import { describeStore } from '../../support/store/store-suite.ts';

const secretBox = createSecretBox([{ id: 'k1', key: randomBytes(32).toString('base64') }]);
const credentials = (apiToken: string) => ({ host: 'acme.gladly.com', email: 'ann@example.com', apiToken });

describeStore('credentials', (store) => {
  it('have a higher version than any that the onboarding was told of, whoever told it', async () => {
    const tenantId = await store.tenant();
    await store.db.query(
      `INSERT INTO tenant_states (tenant_id, need, onboarding) VALUES ($1, 3, '{"credentialsVersion": 41}')
       ON CONFLICT (tenant_id) DO UPDATE SET onboarding = excluded.onboarding`,
      [tenantId],
    );
    expect(await putCredentials(store.db, secretBox, tenantId, credentials('token-1'))).toBe(42);
    expect(await putCredentials(store.db, secretBox, tenantId, credentials('token-2'))).toBe(43);
  });

  it('encrypts each version, and adopts one when it is told to', async () => {
    const tenantId = await store.tenant();
    expect(await getCredentials(store.db, secretBox, tenantId, 'newest')).toBeNull();
    expect(await putCredentials(store.db, secretBox, tenantId, credentials('token-1'))).toBe(1);
    expect(await adoptCredentials(store.db, tenantId, 1)).toBe(true);
    expect(await putCredentials(store.db, secretBox, tenantId, credentials('token-2'))).toBe(2);

    expect(await getCredentials(store.db, secretBox, tenantId)).toMatchObject({
      version: 1,
      ...credentials('token-1'),
    });
    expect(await getCredentials(store.db, secretBox, tenantId, 'newest')).toMatchObject({
      version: 2,
      apiToken: 'token-2',
    });
    expect(await getCredentials(store.db, secretBox, tenantId, 2)).toMatchObject({ version: 2 });
    expect(await adoptCredentials(store.db, tenantId, 2)).toBe(true);
    expect(await adoptCredentials(store.db, tenantId, 2)).toBe(true);
    expect(await adoptCredentials(store.db, tenantId, 1)).toBe(false);
    expect(await adoptCredentials(store.db, tenantId, 3)).toBe(false);
    expect(await getCredentials(store.db, secretBox, tenantId)).toMatchObject({ version: 2 });
    expect(await getCredentials(store.db, secretBox, tenantId, 1)).toBeNull();

    await deleteCredentials(store.db, tenantId);
    expect(await getCredentials(store.db, secretBox, tenantId)).toBeNull();
    expect(await putCredentials(store.db, secretBox, tenantId, credentials('token-3'))).toBe(3);
  });

  it('keeps the version at hand and the one that extraction uses, and none that was refused', async () => {
    const tenantId = await store.tenant();
    const put = (token: string) => putCredentials(store.db, secretBox, tenantId, credentials(token));
    const versions = async () =>
      (
        await store.db.query<{ version: number }>(
          'SELECT version FROM credentials WHERE tenant_id = $1 ORDER BY version',
          [tenantId],
        )
      ).rows.map(({ version }) => version);
    for (const token of ['a', 'b', 'c']) await deleteOlderCredentials(store.db, tenantId, await put(token));
    expect(await versions()).toEqual([3]);
    await adoptCredentials(store.db, tenantId, 3);
    for (const token of ['d', 'e']) await deleteOlderCredentials(store.db, tenantId, await put(token));
    expect(await versions()).toEqual([3, 5]);
    expect(await getCredentials(store.db, secretBox, tenantId)).toMatchObject({ apiToken: 'c' });
  });

  it('keeps neither email nor token in the open, and decrypts nothing that was moved', async () => {
    const [tenantId, other] = [await store.tenant(), await store.tenant()];
    await putCredentials(store.db, secretBox, tenantId, credentials('token-1'));
    await putCredentials(store.db, secretBox, other, credentials('token-2'));
    const { rows } = await store.db.query('SELECT * FROM credentials');
    expect(JSON.stringify(rows)).not.toMatch(/token-|ann@/);
    await store.db.query(
      'UPDATE credentials SET sealed = (SELECT sealed FROM credentials WHERE tenant_id = $2) WHERE tenant_id = $1',
      [tenantId, other],
    );
    await expect(getCredentials(store.db, secretBox, tenantId, 'newest')).rejects.toThrow(TamperedError);
  });

  it('gives two submissions at once two versions, and none to a tenant that does not exist', async () => {
    const tenantId = await store.tenant();
    const put = (token: string) => putCredentials(store.db, secretBox, tenantId, credentials(token));
    expect((await Promise.all([put('a'), put('b'), put('c')])).sort()).toEqual([1, 2, 3]);
    await expect(putCredentials(store.db, secretBox, 'nobody', credentials('x'))).rejects.toThrow(UnknownTenantError);
  });
});

describeStore('credentials under an older key', (store) => {
  const secret = (id: string) => ({ id, key: randomBytes(32).toString('base64') });
  const [k0, k1, k2] = [secret('k0'), secret('k1'), secret('k2')];
  const [before, after] = [createSecretBox([k1]), createSecretBox([k2, k1])];
  const sealOf = async (tenantId: string) =>
    (await store.db.query<{ sealed: string }>('SELECT sealed FROM credentials WHERE tenant_id = $1', [tenantId])).rows;
  const seen = async (tenantId: string) => {
    const found = [];
    for await (const row of sealedCredentials(store.db, after)) if (row.tenantId === tenantId) found.push(row);
    return found;
  };

  it('go over to the first one, those of every life of a tenant, and open without the older one then', async () => {
    const [tenantId, old] = [await store.tenant(), await store.tenant()];
    await store.db.query(`UPDATE tenants SET incarnation = '' WHERE tenant_id = $1`, [old]);
    for (const of of [tenantId, old]) await putCredentials(store.db, before, of, credentials(`token of ${of}`));
    await putCredentials(store.db, before, tenantId, credentials('newer'));
    expect((await seen(tenantId)).map(({ version, keyId, why }) => [version, keyId, why])).toEqual([
      [1, 'k1', null],
      [2, 'k1', null],
    ]);
    expect(await resealCredentials(store.db, after)).toBe(3);
    expect(await resealCredentials(store.db, after)).toBe(0);
    expect((await seen(tenantId)).map(({ keyId }) => keyId)).toEqual(['k2', 'k2']);
    const alone = createSecretBox([k2]);
    expect(await getCredentials(store.db, alone, tenantId, 'newest')).toMatchObject(credentials('newer'));
    expect(await getCredentials(store.db, alone, tenantId, 1)).toMatchObject(credentials(`token of ${tenantId}`));
    expect(await getCredentials(store.db, alone, old, 1)).toMatchObject(credentials(`token of ${old}`));
  });

  it('stay as they are when they do not open, and say why', async () => {
    const [lost, moved, well] = [await store.tenant(), await store.tenant(), await store.tenant()];
    await putCredentials(store.db, createSecretBox([k0]), lost, credentials('lost'));
    for (const of of [moved, well]) await putCredentials(store.db, before, of, credentials(of));
    await store.db.query('UPDATE credentials SET sealed = $2 WHERE tenant_id = $1', [
      moved,
      (await sealOf(well))[0]?.sealed ?? '',
    ]);
    const seals = [await sealOf(lost), await sealOf(moved)];
    expect(await resealCredentials(store.db, after)).toBe(1);
    expect([await sealOf(lost), await sealOf(moved)]).toEqual(seals);
    expect(await seen(lost)).toMatchObject([{ keyId: 'k0', why: expect.stringContaining('put it back') }]);
    expect(await seen(moved)).toMatchObject([{ keyId: 'k1', why: expect.stringContaining(moved) }]);
  });

  it('that are replaced or deleted meanwhile are left to whoever did it', async () => {
    const [replaced, deleted] = [await store.tenant(), await store.tenant()];
    for (const of of [replaced, deleted]) await putCredentials(store.db, before, of, credentials('old'));
    // Between its look at the rows and its first write.
    let isBetween = true;
    const db: Pick<Db, 'query'> = {
      query: async (sql, params) => {
        if (isBetween && sql.startsWith('UPDATE')) {
          isBetween = false;
          await store.db.query('UPDATE credentials SET sealed = $2 WHERE tenant_id = $1', [replaced, 'v1.k9.AAAA']);
          await deleteCredentials(store.db, deleted);
        }
        return store.db.query(sql, params);
      },
    };
    expect(await resealCredentials(db, after)).toBe(0);
    expect(await sealOf(replaced)).toEqual([{ sealed: 'v1.k9.AAAA' }]);
    expect(await sealOf(deleted)).toEqual([]);
  });

  it('are all seen, also those of more tenants than a page has', async () => {
    const tenants = await Promise.all(Array.from({ length: 230 }, () => store.tenant()));
    for (const of of tenants) await putCredentials(store.db, before, of, credentials(of));
    const count = await resealCredentials(store.db, after);
    expect(count).toBe(230);
    let first = 0;
    for await (const { keyId } of sealedCredentials(store.db, after)) if (keyId === 'k2') first += 1;
    expect(first).toBeGreaterThanOrEqual(230);
  });
});

describeStore('webhook keys', (store) => {
  it('stores a hash of 256 random bits', async () => {
    const tenantId = await store.tenant();
    const { keyId, key } = await issueWebhookKey(store.db, tenantId);
    expect(Buffer.from(key, 'base64url')).toHaveLength(32);
    expect(await liveWebhookKeys(store.db, tenantId, at(0))).toMatchObject([
      { keyId, hash: hashWebhookKey(key), validUntil: null },
    ]);
    const { rows } = await store.db.query('SELECT * FROM webhook_keys');
    expect(JSON.stringify(rows)).not.toContain(key);
  });

  it('ends a replaced key when the new one is seen in use', async () => {
    const tenantId = await store.tenant();
    const old = await issueWebhookKey(store.db, tenantId);
    const replacement = await issueWebhookKey(store.db, tenantId, { until: at(3_600) });
    const { revision } = await webhookKeysSince(store.db, 0);

    expect(await recordKeyUses(store.db, [{ keyId: old.keyId, usedAt: at(5) }])).toEqual([]);
    expect((await liveWebhookKeys(store.db, tenantId, at(10))).map(({ keyId }) => keyId).sort()).toEqual(
      [old.keyId, replacement.keyId].sort(),
    );
    const uses = [30, 20, 40].map((seconds) => ({ keyId: replacement.keyId, usedAt: at(seconds) }));
    expect(await recordKeyUses(store.db, uses)).toEqual([old.keyId]);
    expect(await recordKeyUses(store.db, uses)).toEqual([]);

    expect(await liveWebhookKeys(store.db, tenantId, at(50))).toMatchObject([
      { keyId: replacement.keyId, firstUsedAt: at(20), lastUsedAt: at(40) },
    ]);
    const changes = await webhookKeysSince(store.db, revision);
    expect(changes.keys).toMatchObject([{ keyId: old.keyId, revokedAt: expect.any(Date) }]);
  });

  it('ends a replaced key when its time is over, and never later than before', async () => {
    const tenantId = await store.tenant();
    const old = await issueWebhookKey(store.db, tenantId);
    await issueWebhookKey(store.db, tenantId, { until: at(10) });
    const newest = await issueWebhookKey(store.db, tenantId, { until: at(20) });
    const live = async (seconds: number) =>
      (await liveWebhookKeys(store.db, tenantId, at(seconds))).map(({ keyId }) => keyId);
    expect(await live(9)).toContain(old.keyId);
    expect(await live(10)).toHaveLength(2);
    expect(await live(20)).toEqual([newest.keyId]);
  });

  it('made by who may be a stranger ends no key that is in use, whenever that began, and the unused ones', async () => {
    const tenantId = await store.tenant();
    const live = async () => (await liveWebhookKeys(store.db, tenantId, at(9 * 86_400))).map(({ keyId }) => keyId);
    const use = (keyId: string, seconds: number) => recordKeyUses(store.db, [{ keyId, usedAt: at(seconds) }]);
    const used = await issueWebhookKey(store.db, tenantId);
    const usedLater = await issueWebhookKey(store.db, tenantId);
    const unused = await issueWebhookKey(store.db, tenantId);
    await use(used.keyId, 1);
    const strangers = await issueWebhookKey(store.db, tenantId, 'unused');
    await use(usedLater.keyId, 2);
    expect(await use(strangers.keyId, 3)).toEqual([unused.keyId]);
    const { revision } = await webhookKeysSince(store.db, 0);
    expect(await use(strangers.keyId, 4)).toEqual([]);
    expect((await webhookKeysSince(store.db, revision)).keys).toEqual([]);
    expect((await live()).sort()).toEqual([used.keyId, usedLater.keyId, strangers.keyId].sort());
    // Both seen in one batch: which was first is not known.
    const other = await issueWebhookKey(store.db, tenantId);
    const another = await issueWebhookKey(store.db, tenantId, 'unused');
    await recordKeyUses(
      store.db,
      [other, another].map(({ keyId }) => ({ keyId, usedAt: at(5) })),
    );
    expect(await live()).toEqual(expect.arrayContaining([other.keyId, another.keyId]));
    // An operator's ends them all.
    const operators = await issueWebhookKey(store.db, tenantId, { until: at(99) });
    await use(operators.keyId, 6);
    expect(await live()).toEqual([operators.keyId]);
  });

  it('that nobody uses do not pile up, however often one is asked for', async () => {
    const tenantId = await store.tenant();
    const used = await issueWebhookKey(store.db, tenantId);
    await recordKeyUses(store.db, [{ keyId: used.keyId, usedAt: at(1) }]);
    let last = used;
    for (let n = 0; n < 12; n += 1) last = await issueWebhookKey(store.db, tenantId, 'unused');
    const live = await liveWebhookKeys(store.db, tenantId, at(2));
    expect(live).toHaveLength(6);
    expect(live.map(({ keyId }) => keyId)).toEqual(expect.arrayContaining([used.keyId, last.keyId]));
  });

  it('revokes at once, and only a key of that tenant', async () => {
    const [tenantId, other] = [await store.tenant(), await store.tenant()];
    const { keyId } = await issueWebhookKey(store.db, tenantId);
    expect(await revokeWebhookKey(store.db, other, keyId)).toBe(false);
    expect(await revokeWebhookKey(store.db, tenantId, keyId)).toBe(true);
    expect(await revokeWebhookKey(store.db, tenantId, keyId)).toBe(false);
    expect(await liveWebhookKeys(store.db, tenantId, at(0))).toEqual([]);
  });

  it('shows nothing of a later change before an earlier one has committed', async () => {
    const tenantId = await store.tenant();
    const { revision } = await webhookKeysSince(store.db, 0);
    const { db, held } = heldOpen(store.db, 200);
    const slow = issueWebhookKey(db, tenantId);
    await held;
    const fast = await issueWebhookKey(store.db, tenantId);
    const seen = await webhookKeysSince(store.db, revision);
    const { keyId } = await slow;
    expect(seen.keys.map((key) => key.keyId)).toEqual([keyId, fast.keyId]);
  });

  it('shows a reader that polls every change, though many are made at once', async () => {
    const tenantId = await store.tenant();
    let { revision } = await webhookKeysSince(store.db, 0);
    const seen = new Map<string, boolean>();
    let done = false;
    const polling = (async () => {
      for (let last = false; !last; ) {
        last = done;
        const changes = await webhookKeysSince(store.db, revision);
        ({ revision } = changes);
        for (const { keyId, revokedAt, tenantId: of } of changes.keys) {
          if (of === tenantId) seen.set(keyId, revokedAt === null);
        }
      }
    })();
    const issued = await Promise.all(Array.from({ length: 30 }, () => issueWebhookKey(store.db, tenantId)));
    const revoked = issued.slice(0, 15);
    await Promise.all(revoked.map(({ keyId }) => revokeWebhookKey(store.db, tenantId, keyId)));
    done = true;
    await polling;
    expect(seen).toEqual(new Map(issued.map(({ keyId }, n) => [keyId, n >= 15])));
  });
});
