import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { listActions } from '../../../src/store/actions.ts';
import { liveWebhookKeys } from '../../../src/store/webhook-keys.ts';
import { asAnn, KEYS, OPERATOR_KEYS } from '../../support/browser/operator.ts';
import { NINE_EVENTS } from '../../support/onboarding/faults/row.ts';
import { startGladly, type TestGladly } from '../../support/onboarding/gladly.ts';
import { startWorld, type World } from '../../support/onboarding/world.ts';

const made = z.object({ connectUrl: z.string(), webhookUrl: z.string(), webhookKey: z.string() });
const shown = z.object({
  connection: z.string(),
  state: z.string().nullable(),
  problem: z.string().nullable(),
  webhookProblem: z.object({ code: z.string() }).loose().nullable(),
  onboarding: z.object({ state: z.string(), webhookSetup: z.string(), credentialsVersion: z.number() }).loose(),
});
const EVENT = { id: 'e1', type: 'CONVERSATION/CREATED' };

/** A customer is connected, and everything works. Their link is in an e-mail that others can read. */
describe('the link of a connected tenant', { timeout: 60_000 }, () => {
  let gladly: TestGladly;
  let world: World;
  let count = 0;

  beforeAll(async () => {
    gladly = await startGladly();
    world = await startWorld({ gladlyHosts: [gladly.host], env: { OPERATOR_KEYS } });
  });
  afterAll(async () => {
    await world?.close();
    await gladly?.close();
  });

  const operator = (method: string, path: string, body?: unknown) => asAnn(world.url, method, path, body);
  const post = (url: string, fields: Record<string, string> = {}) =>
    fetch(url, {
      method: 'POST',
      body: new URLSearchParams(fields),
      headers: { origin: world.url },
      redirect: 'manual',
    });
  const deliver = async (url: string, key: string | null) =>
    (
      await fetch(url, {
        method: 'POST',
        headers: key === null ? {} : { 'x-api-key': key },
        body: JSON.stringify(EVENT),
      })
    ).status;

  async function connected(webhookSetup: 'by_hand' | 'create_for_me') {
    count += 1;
    const tenantId = `linked-${count}`;
    const tenant = made.parse(await operator('POST', '/v1/tenants', { tenantId, name: 'Acme', webhookSetup }));
    if (webhookSetup === 'by_hand') {
      const headers = { 'x-api-key': tenant.webhookKey };
      const webhook = { name: 'By hand', url: tenant.webhookUrl, events: NINE_EVENTS, headers, enabled: true };
      await gladly.api('POST', '/webhooks', webhook);
    }
    const { host: domain, email, apiToken } = gladly;
    await operator('PUT', `/v1/tenants/${tenantId}/credentials`, { domain, email, apiToken });
    const status = async () => shown.parse(await operator('GET', `/v1/tenants/${tenantId}`));
    await expect
      .poll(async () => (await operator('GET', `/v1/tenants/${tenantId}`)) as object)
      .toMatchObject({ connection: 'connected', onboarding: { state: 'done' } });
    const liveKeys = async () => (await liveWebhookKeys(world.db, tenantId, new Date())).map(({ keyId }) => keyId);
    return { tenantId, ...tenant, status, liveKeys };
  }

  it.each(['by_hand', 'create_for_me'] as const)('shows, and changes nothing that works (%s)', async (setup) => {
    const { tenantId, connectUrl, status, liveKeys } = await connected(setup);
    const before = { onboarding: (await status()).onboarding, keys: await liveKeys() };
    const page = await (await fetch(connectUrl)).text();
    expect(page).toContain('id="connected"');
    expect(page).not.toMatch(/<form|<button[^>]*(?<!data-copy="[^"]*"[^>]*)>(?:Make|Check|Create)/);

    const { host: domain, email } = gladly;
    const answers = [
      await post(`${connectUrl}/webhook`, { setup: setup === 'by_hand' ? 'create_for_me' : 'by_hand' }),
      await post(`${connectUrl}/key`),
      await post(`${connectUrl}/credentials`, { domain, email, apiToken: 'a-wrong-token' }),
      await post(`${connectUrl}/recheck`),
    ];
    expect(answers.map((answer) => answer.status)).toEqual([403, 403, 403, 403]);
    expect(await answers[1]?.text()).toContain('only shows how it is');
    expect({ onboarding: (await status()).onboarding, keys: await liveKeys() }).toEqual(before);
    const actions = await listActions(world.db, tenantId, { limit: 50 });
    expect(actions.filter(({ by }) => by === 'customer')).toEqual([]);
  });

  it('changes things when an operator has made it for that, for a time, and still ends no key that is in use', async () => {
    const { tenantId, connectUrl, webhookUrl, webhookKey, liveKeys } = await connected('by_hand');
    const renewed = z
      .object({ connectUrl: z.string(), changesUntil: z.coerce.date().nullable() })
      .parse(await operator('POST', `/v1/tenants/${tenantId}/connect-link`, { mayChange: true }));
    expect(renewed.changesUntil?.getTime()).toBeGreaterThan(Date.now() + 86_400_000);
    expect((await post(`${connectUrl}/key`)).status).toBe(404);
    const answer = await post(`${renewed.connectUrl}/key`);
    expect(answer.status).toBe(200);
    const strangers = /id="value-key">([^<]*)</.exec(await answer.text())?.[1] ?? '';
    expect(await deliver(webhookUrl, strangers)).toBe(200);
    await expect
      .poll(async () => (await liveWebhookKeys(world.db, tenantId, new Date())).every(({ firstUsedAt }) => firstUsedAt))
      .toBe(true);
    expect(await liveKeys()).toHaveLength(2);
    expect(await deliver(webhookUrl, webhookKey)).toBe(200);

    // When the time is over it only shows, and one that is made for showing only shows.
    await world.db.query('UPDATE tenants SET connect_link_changes_until = now() WHERE tenant_id = $1', [tenantId]);
    expect((await post(`${renewed.connectUrl}/key`)).status).toBe(403);
    const plain = made.pick({ connectUrl: true }).parse(await operator('POST', `/v1/tenants/${tenantId}/connect-link`));
    expect((await post(`${plain.connectUrl}/key`)).status).toBe(403);
    expect((await fetch(plain.connectUrl)).status).toBe(200);
  });

  it('changes what does not work, and only that: the token that Gladly refuses', async () => {
    const { tenantId, connectUrl, status } = await connected('by_hand');
    await gladly.fault({ path: '/api/v1/conversations/*', status: 401 });
    await gladly.fault({ path: '/api/v1/organization', status: 401 });
    await gladly.control('POST', '/emit', { count: 2, onlySubscribed: true });
    await expect.poll(async () => (await status()).state, { timeout: 30_000 }).toBe('needs_attention');
    const page = await (await fetch(connectUrl)).text();
    expect(page).toContain('name="apiToken"');
    expect((await post(`${connectUrl}/key`)).status).toBe(403);
    await gladly.clearFaults();
    const { host: domain, email, apiToken } = gladly;
    expect((await post(`${connectUrl}/credentials`, { domain, email, apiToken })).status).toBe(303);
    await expect.poll(async () => (await status()).onboarding.state, { timeout: 30_000 }).toBe('done');
    await expect.poll(async () => (await status()).state, { timeout: 30_000 }).toMatch(/running|parked/);
    const [last] = await listActions(world.db, tenantId, { limit: 1 });
    expect(last).toMatchObject({ by: 'customer', action: 'credentials' });
  });

  it('is done a bounded number of times, and fills neither the store nor the history', async () => {
    const tenantId = 'tried-often';
    const { connectUrl } = made.parse(await operator('POST', '/v1/tenants', { tenantId, name: 'Acme' }));
    const { host: domain, email } = gladly;
    const statuses: number[] = [];
    for (let n = 0; n < 12; n += 1) {
      statuses.push((await post(`${connectUrl}/credentials`, { domain, email, apiToken: `wrong-token-${n}` })).status);
      await post(`${connectUrl}/key`);
    }
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 303), 429, 429]);
    const { rows } = await world.db.query<{ count: number }>(
      'SELECT count(*) AS count FROM credentials WHERE tenant_id = $1',
      [tenantId],
    );
    expect(rows).toEqual([{ count: 1 }]);
    const actions = await listActions(world.db, tenantId, { limit: 50 });
    expect(actions.map(({ action }) => action)).toEqual(['webhook_key', 'credentials', 'create']);
    expect(actions[1]?.details).toEqual({ version: 10, times: 10 });
    // What was typed is still in the form, and what is wrong beside it.
    const again = await post(`${connectUrl}/credentials`, { domain, email, apiToken: 'one-more-token' });
    expect(await again.text()).toContain('very often within the last hour');
    // An operator is not held up by that.
    await operator('PUT', `/v1/tenants/${tenantId}/credentials`, { domain, email, apiToken: gladly.apiToken });
  });

  it.each([
    ['with a wrong key', 'a wrong key'],
    ['without a key', null],
  ])('a webhook that is called %s is said at once, everywhere, until a right one comes', async (_, key) => {
    const { tenantId, connectUrl, webhookUrl, webhookKey, status } = await connected('by_hand');
    expect(await status()).toMatchObject({ problem: null, webhookProblem: null });
    expect(await deliver(webhookUrl, key)).toBe(401);
    await expect
      .poll(status, { timeout: 5_000 })
      .toMatchObject({ problem: 'webhook_key_refused', webhookProblem: { code: 'webhook_key_refused' } });
    const list = z.object({ tenants: z.array(z.object({ tenantId: z.string(), problem: z.string().nullable() })) });
    const { tenants } = list.parse(await operator('GET', '/v1/tenants'));
    expect(tenants.find((it) => it.tenantId === tenantId)?.problem).toBe('webhook_key_refused');

    const signedIn = await post(`${world.url}/console/sign-in`, { key: KEYS.ann });
    const cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? '';
    const console = async (path: string) => (await fetch(`${world.url}${path}`, { headers: { cookie } })).text();
    expect(await console('/console?show=attention')).toContain(`row-${tenantId}`);
    expect(await console(`/console/tenants/${tenantId}`)).toContain('is called without a key that we accept');
    const page = await (await fetch(connectUrl)).text();
    expect(page).toContain('id="key-refused"');
    expect(page).not.toContain('All done');
    // It is what the link may mend, by a key beside the others. Anybody can make that call: no more than that may follow.
    expect((await post(`${connectUrl}/webhook`, { setup: 'create_for_me' })).status).toBe(403);
    expect(await (await post(`${connectUrl}/key`)).text()).toContain('id="value-key"');

    expect(await deliver(webhookUrl, webhookKey)).toBe(200);
    await expect.poll(status, { timeout: 5_000 }).toMatchObject({ problem: null, webhookProblem: null });
    expect(await console('/console?show=attention')).not.toContain(`row-${tenantId}`);
  });
});
