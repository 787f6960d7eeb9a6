import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { getTenant } from '../../../src/store/tenants.ts';
import { liveWebhookKeys } from '../../../src/store/webhook-keys.ts';
import { type ConnectLinks, connectLinks } from '../../../src/tenants/connect-links.ts';
import { startGladly, type TestGladly } from '../../support/onboarding/gladly.ts';
import { startWorld, type World } from '../../support/onboarding/world.ts';

const created = z.object({ connectUrl: z.string(), webhookUrl: z.string(), webhookKey: z.string() });
const HOOK_MS = 120_000;

/** Everything about a link that needs no browser: whom it lets in, what it answers, and what it never does. */
describe('a connect link', () => {
  let gladly: TestGladly;
  let world: World;
  let links: ConnectLinks;
  let count = 0;

  beforeAll(async () => {
    gladly = await startGladly();

    world = await startWorld({ gladlyHosts: [gladly.host] });
    const [id = '', key = ''] = (world.variables['SECRET_KEYS'] ?? '').split(':');
    links = connectLinks([{ id, key }]);
  }, HOOK_MS);

  afterAll(async () => {
    await Promise.all([world?.close(), gladly?.close()]);
  }, HOOK_MS);

  async function newTenant(name = 'Acme Shoes') {
    count += 1;
    const tenantId = `link-${count}`;
    return { tenantId, ...created.parse(await world.api('POST', '/v1/tenants', { tenantId, name })) };
  }

  const post = (url: string, fields: Record<string, string>, headers: Record<string, string> = { origin: world.url }) =>
    fetch(url, { method: 'POST', body: new URLSearchParams(fields), headers, redirect: 'manual' });

  /** What differs between any two answers. */
  const withoutRequestId = (text: string): string => text.replace(/[0-9a-f-]{36}/, '');

  it('that opens nothing answers the same, whatever the reason', async () => {
    const { tenantId, connectUrl } = await newTenant();
    const incarnation = (await getTenant(world.db, tenantId))?.incarnation ?? '';
    const sign = (of: Partial<Parameters<ConnectLinks['sign']>[0]>): string =>
      `${world.url}/connect/${links.sign({ tenantId, incarnation, epoch: 1, expiresAt: Date.now() + 60_000, ...of })}`;
    expect((await fetch(sign({}))).status).toBe(200);

    const dead = {
      expired: sign({ expiresAt: Date.now() - 1 }),
      'of a later epoch': sign({ epoch: 2 }),
      'of an erased tenant that had the id': sign({ incarnation: 'another' }),
      'of a tenant from before there were incarnations': sign({ incarnation: '' }),
      'of no tenant': sign({ tenantId: 'nobody' }),
      altered: `${connectUrl.slice(0, -3)}abc`,
      'cut short': connectUrl.slice(0, -20),
      'no link at all': `${world.url}/connect/x`,
    };
    const answers = await Promise.all(
      Object.values(dead).map(async (url) => {
        const answer = await fetch(url);
        return `${answer.status} ${withoutRequestId(await answer.text())}`;
      }),
    );
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toContain('404');
    expect(answers[0]).toContain('This link does not work');
    expect(answers[0]).not.toContain('Acme');
  });

  it('that was withdrawn opens nothing, for looking and for acting, and the new one does', async () => {
    const { tenantId, connectUrl } = await newTenant();
    const renewed = z
      .object({ connectUrl: z.string() })
      .parse(await world.api('POST', `/v1/tenants/${tenantId}/connect-link`, {}));
    expect((await fetch(connectUrl)).status).toBe(404);
    expect((await post(`${connectUrl}/key`, {})).status).toBe(404);
    // A page that was open is told to load again, and nothing else.
    expect(await (await fetch(`${connectUrl}/live`)).text()).toBe(': here\n\nevent: reload\ndata: now\n\n');
    expect(await liveWebhookKeys(world.db, tenantId, new Date())).toHaveLength(1);
    expect((await fetch(renewed.connectUrl)).status).toBe(200);
  });

  it('is in no line of the log', async () => {
    const { connectUrl } = await newTenant();
    await fetch(connectUrl);
    await post(`${connectUrl}/recheck`, {});
    const token = connectUrl.split('/').at(-1) ?? '';
    expect(world.log.some((line) => line.includes('/connect/LINK'))).toBe(true);
    expect(world.log.filter((line) => line.includes(token))).toEqual([]);
  });

  it('shows names as text, whatever is in them', async () => {
    const { connectUrl } = await newTenant('<img src=x onerror=alert(1)> & "Söhne"');
    const page = await (await fetch(connectUrl)).text();
    expect(page).not.toContain('<img');
    expect(page).toContain('&#60;img src&#61;x onerror&#61;alert(1)&#62; &#38; &#34;Söhne&#34;');
  });

  it('opens a page that no other site can frame, script, learn of, or keep', async () => {
    const { connectUrl } = await newTenant();
    const { headers } = await fetch(connectUrl);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('referrer-policy')).toBe('strict-origin');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it.each([
    ['another site, by its origin', { origin: 'https://evil.example' }],
    ['another site, by Sec-Fetch-Site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['a page without an origin', { origin: 'null' }],
    ['nobody knows where', {}],
  ])('does nothing that is sent from %s', async (_, headers) => {
    const { tenantId, connectUrl } = await newTenant();
    const answer = await post(`${connectUrl}/key`, {}, headers);
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('nothing was changed');
    expect(await liveWebhookKeys(world.db, tenantId, new Date())).toHaveLength(1);
  });

  it('makes one key of a wish that was sent twice, and shows it in that answer only', async () => {
    const { tenantId, connectUrl } = await newTenant();
    const answers = await Promise.all([post(`${connectUrl}/key`, {}), post(`${connectUrl}/key`, {})]);
    const keys = await Promise.all(answers.map(async (answer) => keyIn(await answer.text())));
    expect(keys[0]).toMatch(/^[\w-]{40,}$/);
    expect(keys[1]).toBe(keys[0]);
    expect(await liveWebhookKeys(world.db, tenantId, new Date())).toHaveLength(2);
    expect(keyIn(await (await fetch(connectUrl)).text())).toBeNull();
  });

  it('stores credentials that were sent twice once', async () => {
    const { tenantId, connectUrl } = await newTenant();
    const { host: domain, email, apiToken } = gladly;
    const send = () => post(`${connectUrl}/credentials`, { domain, email, apiToken });
    const answers = await Promise.all([send(), send()]);
    expect(answers.map(({ status }) => status)).toEqual([303, 303]);
    const { rows } = await world.db.query<{ version: number }>(
      'SELECT credentials_version AS version FROM tenants WHERE tenant_id = $1',
      [tenantId],
    );
    expect(rows).toEqual([{ version: 1 }]);
  });

  it('says what is wrong with each field, keeps what was typed, and never the token', async () => {
    const { connectUrl } = await newTenant();
    const answer = await post(`${connectUrl}/credentials`, {
      domain: 'acme.example',
      email: 'ann@',
      apiToken: 'secret-t0ken',
    });
    const page = await answer.text();
    expect(answer.status).toBe(422);
    expect(page).toContain('such as idiomatic@your-company.com');
    expect(page).toContain('value="acme.example"');
    expect(page).not.toContain('secret-t0ken');

    const refused = await post(`${connectUrl}/credentials`, {
      domain: 'acme.example',
      email: 'a@b.example',
      apiToken: 'secret-t0ken',
    });
    expect(refused.status).toBe(422);
    expect(await refused.text()).toContain('acme.example is not an address of Gladly.');
  });

  it.each([
    ['Acme.gladly.com/', 'your Gladly is <b>acme.gladly.com</b>'],
    ['https://acme.us-uat.gladly.qa/settings?x=1', 'your Gladly is <b>acme.us-uat.gladly.qa</b>'],
    ['acme', 'your Gladly is <b>acme.gladly.com</b>'],
    ['ann@acme.com', 'it contains an @, as an email address does'],
    ['169.254.169.254', 'it is a number and not a name'],
    ['acme.example', 'acme.example is not an address of Gladly.'],
    ['', '<p class="says" id="domain-says" aria-live="polite"></p>'],
  ])('says what it understood of the domain %j', async (typed, said) => {
    const { connectUrl } = await newTenant();
    const hint = await (await fetch(`${connectUrl}/domain?domain=${encodeURIComponent(typed)}`)).text();
    expect(hint).toContain(said);
  });

  it('of a tenant that was disconnected opens nothing, and a new one tells only that it has ended', async () => {
    const { tenantId, connectUrl } = await newTenant();
    await world.api('DELETE', `/v1/tenants/${tenantId}`, { reason: 'test' });
    expect((await fetch(connectUrl)).status).toBe(404);
    const renewed = z
      .object({ connectUrl: z.string() })
      .parse(await world.api('POST', `/v1/tenants/${tenantId}/connect-link`, {}));
    expect(await (await fetch(renewed.connectUrl)).text()).toContain('This connection has been ended');
    const answer = await post(`${renewed.connectUrl}/key`, {});
    expect([answer.status, keyIn(await answer.text())]).toEqual([303, null]);
  });
});

const keyIn = (page: string): string | null => /id="value-key">([^<]*)</.exec(page)?.[1] ?? null;
