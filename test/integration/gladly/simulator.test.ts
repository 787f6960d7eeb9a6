import { expect, it, onTestFinished } from 'vitest';
import { demoCredentials, startSimulator } from '../../../simulator/simulator.ts';
import { problemSentence } from '../../../src/contracts/problems.ts';
import type { GladlyClient } from '../../../src/gladly/client.ts';
import { createGladlyClient } from '../../../src/gladly/client.ts';
import { parseEvent, SUBSCRIBED_EVENTS } from '../../../src/gladly/events.ts';
import { parseGladlyHost } from '../../../src/gladly/host.ts';
import { createGovernor } from '../../../src/gladly/quota.ts';
import { clientOf, extraHost, failureOf, newConnections, startHttp } from '../../support/gladly/server.ts';

type Options = NonNullable<Parameters<typeof startSimulator>[0]>;

async function startGladly(options: Options = {}, credentials = demoCredentials('gladly')) {
  const simulator = await startSimulator({ allowHttpWebhooks: true, rate: 0, quotaPerSecond: null, ...options });
  onTestFinished(() => simulator.close());
  const host = extraHost(new URL(simulator.url).host);
  const governor = createGovernor({ unlimited: options.quotaPerSecond === undefined });
  const client = createGladlyClient({ host, ...credentials, governor, connections: newConnections() });
  const control = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const answer = await fetch(`${simulator.url}/simulator${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}`);
    return answer.status === 204 ? undefined : await answer.json();
  };
  return { client, control, host, governor };
}

const textOf = (value: unknown, field: string): string => {
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined;
  if (typeof found !== 'string') throw new Error(`no ${field}`);
  return found;
};

async function someConversation(
  client: GladlyClient,
  control: (method: string, path: string, body?: unknown) => Promise<unknown>,
) {
  const created = await control('POST', '/conversations', { items: 12 });
  const id = textOf(created, 'id');
  return { id, customerId: textOf(created, 'customerId'), read: await client.getConversation(id) };
}

it('reads an organization without finding anything strange', async () => {
  const { client, host, control } = await startGladly();
  const organization = await client.getOrganization();
  const canonical = parseGladlyHost(organization.value.gladlyUrl ?? '', [host.name]);
  expect(canonical).toEqual({ ok: true, host });

  const lists = await Promise.all([
    client.listAgents(),
    client.listInboxes(),
    client.listTeams(),
    client.listTopics(),
    client.listWebhooks(),
  ]);
  expect(lists.slice(0, 4).every((it) => it.values.length > 0)).toBe(true);
  expect(lists[0]?.values.map((it) => it['emailAddress'])).toContain(demoCredentials('gladly').email);

  const { id, customerId, read } = await someConversation(client, control);
  expect(read.value).toMatchObject({ id, customerId });
  const items = await client.listConversationItems(id);
  expect(items.items).toHaveLength(12);
  expect(items.limited).toBe(false);
  const drift = [organization, read, items, ...lists].flatMap((it) => it.drift);
  expect(drift).toEqual([]);

  const first = items.items[0];
  expect((await client.getConversationItem(first?.id ?? '')).item).toEqual(first);
  const message = items.items.find((it) => it.channel !== null && it.text !== null);
  expect(message).toMatchObject({ direction: expect.stringMatching(/^(in|out)bound$/), conversationId: id });
});

it('says so when a conversation has more than the 1,000 items that Gladly shows', async () => {
  const { client, control } = await startGladly();
  const id = textOf(await control('POST', '/conversations', { items: 1_005 }), 'id');
  const { items, limited } = await client.listConversationItems(id);
  expect([items.length, limited]).toEqual([1_000, true]);
});

it('tells a revoked token, a missing role and a missing thing apart', async () => {
  const { client, control, host } = await startGladly();
  expect((await failureOf(client.getConversation('nothing-here'))).problem.code).toBe('gladly_not_found');
  expect((await failureOf(clientOf(host).getOrganization())).problem.code).toBe('token_rejected');

  const users = await control('GET', '/users');
  const list: unknown = typeof users === 'object' && users !== null ? Reflect.get(users, 'users') : undefined;
  const mine = (Array.isArray(list) ? list : []).find(
    (it: unknown) => textOf(it, 'email') === demoCredentials('gladly').email,
  );
  await control('PATCH', `/users/${textOf(mine, 'id')}`, { roles: ['API User', 'Agent'] });
  const report = { metricSet: 'ContactSummaryReportV2', startAt: '2026-01-01', endAt: '2026-01-01' };
  const forbidden = await failureOf(client.createReport(report));
  expect(problemSentence(forbidden.problem)).toBe('Gladly accepts the token, but its user may not create reports.');
  await control('PATCH', `/users/${textOf(mine, 'id')}`, { roles: ['API User', 'Agent', 'Administrator'] });
  expect(await client.createReport(report)).toContain(',');
});

it('creates a webhook, and reads every event that it then gets', async () => {
  const { client, control } = await startGladly();
  const bodies: string[] = [];
  const entry = await startHttp((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      bodies.push(body);
      response.writeHead(request.headers['x-api-key'] === 'key' ? 200 : 401).end();
    });
  });
  const wanted = SUBSCRIBED_EVENTS.filter((it) => it !== 'MESSAGE/RECEIVED');
  const input = {
    name: 'Idiomatic',
    url: `http://${entry}/hook`,
    events: wanted,
    headers: { 'x-api-key': 'key' },
    enabled: true,
  };

  const legacy = await failureOf(client.createWebhook({ ...input, events: [...SUBSCRIBED_EVENTS] }));
  expect(legacy.kind).toBe('bad_request');
  expect(legacy.details[0]?.attr).toBe('events');
  expect((await failureOf(client.createWebhook({ ...input, headers: {} }))).kind).toBe('bad_request');

  const { id } = await client.createWebhook(input);
  expect((await client.getWebhook(id ?? '')).value).toMatchObject({
    url: input.url,
    enabled: true,
    headerKeys: ['x-api-key'],
  });
  await control('POST', '/emit', { count: 60, onlySubscribed: true });
  await control('GET', '/deliveries/settled?waitMs=10000');
  const kinds = bodies.map((it) => parseEvent(it).kind);
  expect(kinds.filter((it) => it === 'conversation')).toHaveLength(60);
  expect(new Set(kinds)).toEqual(new Set(['ping', 'conversation']));

  expect((await failureOf(client.deleteWebhook(id ?? ''))).kind).toBe('bad_request');
  await client.updateWebhook(id ?? '', { enabled: false });
  await client.deleteWebhook(id ?? '');
  expect((await client.listWebhooks()).values).toEqual([]);
});

it('names the faults that the simulator plays', async () => {
  const { client, control } = await startGladly();
  const plays = async (fault: object): Promise<string> => {
    await control('POST', '/faults', { path: '/api/v1/organization', times: 1, ...fault });
    return (await failureOf(client.getOrganization())).problem.code;
  };
  expect(await plays({ status: 503, body: 'html' })).toBe('gladly_server_error');
  expect(await plays({ status: 200, body: 'html' })).toBe('not_gladly');
  expect(await plays({ malformed: true })).toBe('connection_lost');
  expect(await plays({ status: 404, body: 'html' })).toBe('organization_not_found');
  expect(await plays({ status: 429, body: 'empty', headers: { 'Retry-After': '0' } })).toBe('gladly_rate_limited');
  expect(await plays({ cut: true })).toBe('connection_lost');
  expect(await plays({ redirectTo: 'https://evil.example/' })).toBe('redirect_refused');
  expect(await plays({ status: 200, body: 'huge' })).toBe('answer_too_large');
  expect((await client.getOrganization()).value.id).not.toBe('');
});

it('stays within the quota of a simulated organization', async () => {
  const { client, control, governor } = await startGladly({ quotaPerSecond: 10 });
  await control('POST', '/calls/mark');
  const started = performance.now();
  await Promise.all(Array.from({ length: 15 }, () => client.listTopics()));
  expect(performance.now() - started).toBeGreaterThan(1_900);
  expect(governor.snapshot('GET')).toMatchObject({ limit: 10, rivals: 0, waiting: 0 });
  expect(await control('GET', '/calls')).toMatchObject({ calls: 15, refused: 0 });
});
