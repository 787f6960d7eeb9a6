import type http from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { problemSentence } from '../../../src/contracts/problems.ts';
import type { GladlyClient } from '../../../src/gladly/client.ts';
import { createGladlyClient } from '../../../src/gladly/client.ts';
import { createGovernor } from '../../../src/gladly/quota.ts';
import {
  clientOf,
  EMAIL,
  extraHost,
  failureOf,
  json,
  newConnections,
  startHttp,
  TOKEN,
} from '../../support/gladly/server.ts';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** A client of a server that answers as told, and what the server was asked. */
async function answering(
  answer: (seen: Seen, response: http.ServerResponse) => void,
): Promise<{ client: GladlyClient; seen: Seen[]; entry: string }> {
  const seen: Seen[] = [];
  const entry = await startHttp((request, response) => {
    void text(request).then((body) => {
      const it = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
      seen.push(it);
      answer(it, response);
    });
  });
  return { client: clientOf(extraHost(entry)), seen, entry };
}

describe('a request', () => {
  it('carries the user and token as Basic, and nothing of them anywhere else', async () => {
    const { client, seen } = await answering((_, response) =>
      json(response, 200, { id: 'o1', gladlyUrl: 'https://acme.gladly.com' }),
    );
    const { value } = await client.getOrganization();
    expect(value.gladlyUrl).toBe('https://acme.gladly.com');
    expect(seen[0]).toMatchObject({ method: 'GET', url: '/api/v1/organization', body: '' });
    expect(seen[0]?.headers.authorization).toBe(`Basic ${Buffer.from(`${EMAIL}:${TOKEN}`).toString('base64')}`);
    expect(seen[0]?.url).not.toContain(TOKEN);
  });

  it.each<[string, (client: GladlyClient) => Promise<unknown>, string]>([
    ['listAgents', (it) => it.listAgents(), '/api/v1/agents'],
    ['listInboxes', (it) => it.listInboxes(), '/api/v1/inboxes'],
    ['listTeams', (it) => it.listTeams(), '/api/v1/teams'],
    ['listTopics', (it) => it.listTopics(), '/api/v1/topics'],
    ['listWebhooks', (it) => it.listWebhooks(), '/api/v1/webhooks'],
    ['listConversationItems', (it) => it.listConversationItems('c-1'), '/api/v1/conversations/c-1/items'],
  ])('%s asks its path and takes an empty list', async (_, call, url) => {
    const { client, seen } = await answering((_seen, response) => json(response, 200, []));
    await call(client);
    expect(seen.map((it) => `${it.method} ${it.url}`)).toEqual([`GET ${url}`]);
  });

  it.each<[string, (client: GladlyClient) => Promise<unknown>, string]>([
    ['getConversation', (it) => it.getConversation('c_1'), '/api/v1/conversations/c_1'],
    ['getConversationItem', (it) => it.getConversationItem('i1'), '/api/v1/conversation-items/i1'],
    ['getNote', (it) => it.getNote('c1', 'n1'), '/api/v1/conversations/c1/notes/n1'],
    ['getWebhook', (it) => it.getWebhook('w1'), '/api/v1/webhooks/w1'],
    [
      'an id with a slash',
      (it) => it.getConversation('../agents?x=1#'),
      '/api/v1/conversations/..%2Fagents%3Fx%3D1%23',
    ],
  ])('%s asks its path', async (_, call, url) => {
    const { client, seen } = await answering((_seen, response) => json(response, 200, { id: 'x' }));
    await call(client);
    expect(seen.map((it) => `${it.method} ${it.url}`)).toEqual([`GET ${url}`]);
  });

  it.each(['', '.', '..', 'a\nb', 'a\u0000', '\ud800', 'x'.repeat(201)])('with the id %j is not sent', async (id) => {
    const { client, seen } = await answering((_, response) => json(response, 200, { id: 'x' }));
    const error = await failureOf(client.getConversation(id));
    expect([error.kind, error.retryable]).toEqual(['invalid_id', false]);
    expect((await failureOf(client.deleteWebhook(id))).message).toMatch(/^DELETE \/api\/v1\/webhooks\/\{id\} at /);
    expect(seen).toEqual([]);
  });
});

describe('a request that the user may not make', () => {
  it('is named in words, each of them', async () => {
    const { client } = await answering((_, response) => response.writeHead(403).end());
    const input = { name: 'x', url: 'y', events: [], headers: {}, enabled: false };
    const calls = [
      client.getOrganization(),
      client.listAgents(),
      client.listInboxes(),
      client.listTeams(),
      client.listTopics(),
      client.getConversation('1'),
      client.listConversationItems('1'),
      client.getConversationItem('1'),
      client.getNote('1', '2'),
      client.listWebhooks(),
      client.getWebhook('1'),
      client.createWebhook(input),
      client.updateWebhook('1', input),
      client.deleteWebhook('1'),
      client.createReport({ metricSet: 'x', startAt: 'y', endAt: 'z' }),
    ];
    for (const error of await Promise.all(calls.map(failureOf))) {
      expect(problemSentence(error.problem)).toMatch(
        /^Gladly accepts the token, but its user may not (see|read|create|change|delete) [a-z ]+\.$/,
      );
    }
  });
});

describe('what Gladly may add or leave out', () => {
  it('stops nothing, is kept, and is reported', async () => {
    const raw = { id: 'c1', customerId: 'u1', inboxId: 5, status: 'SNOOZED', mood: { deep: [1] } };
    const { client } = await answering((_, response) => json(response, 200, raw));
    const answer = await client.getConversation('c1');
    expect(answer.value).toMatchObject({ id: 'c1', customerId: 'u1', status: 'SNOOZED', mood: { deep: [1] } });
    expect(answer.value.inboxId).toBeUndefined();
    expect(answer.raw).toEqual(raw);
    expect([...answer.drift].sort()).toEqual([
      'conversation.field:mood',
      'conversation.missing:createdAt',
      'conversation.status:SNOOZED',
      'conversation.type:inboxId',
    ]);
  });

  it('an entry of a list that cannot be used leaves the others', async () => {
    const raw = [{ id: 'a1', emailAddress: 'x' }, { name: 'no id' }, null, { id: 'a2', emailAddress: 'y', badge: 1 }];
    const { client } = await answering((_, response) => json(response, 200, raw));
    const { values, drift, raw: kept } = await client.listAgents();
    expect(values.map((it) => it.id)).toEqual(['a1', 'a2']);
    expect(drift).toEqual(['list.entry:without id', 'agent.field:badge']);
    expect(kept).toEqual(raw);
  });

  it('a list that is none is unexpected', async () => {
    const { client } = await answering((_, response) => json(response, 200, { agents: [] }));
    expect((await failureOf(client.listAgents())).kind).toBe('unexpected');
  });

  it('texts that Postgres refuses are mended on the way', async () => {
    const { client } = await answering((_, response) =>
      json(response, 200, [{ id: 'i1', content: { type: 'SMS', content: 'a\u0000b' } }]),
    );
    expect((await client.listConversationItems('c1')).items[0]).toMatchObject({
      text: 'a�b',
      raw: { content: { content: 'a�b' } },
    });
  });
});

describe('the items of a conversation', () => {
  it.each([
    [undefined, false],
    ['false', false],
    ['0', false],
    ['true', true],
    ['1', true],
    ['1000 of 1200', true],
  ])('with Gladly-Limited-Data %j: limited is %s', async (value, limited) => {
    const items = [{ id: 'i1', timestamp: '2026-01-01T00:00:00Z', content: { type: 'SMS', content: 'Hi' } }];
    const { client } = await answering((_, response) =>
      json(response, 200, items, value === undefined ? {} : { 'gladly-limited-data': value }),
    );
    expect(await client.listConversationItems('c1')).toMatchObject({
      limited,
      items: [{ id: 'i1', text: 'Hi' }],
      drift: [],
    });
  });
});

describe('webhooks and reports', () => {
  const input = {
    name: 'Idiomatic',
    url: 'https://x.example/1',
    events: ['CONVERSATION/CLOSED'],
    headers: { 'x-api-key': 'k' },
    enabled: true,
  };

  it('are written as Gladly documents it', async () => {
    const { client, seen } = await answering(({ method }, response) => {
      if (method === 'POST') response.writeHead(201, { location: '/api/v1/webhooks/c5yeqK8VTlm9xAXgvq_5-w' }).end();
      else response.writeHead(204).end();
    });
    expect(await client.createWebhook(input)).toEqual({ id: 'c5yeqK8VTlm9xAXgvq_5-w' });
    await client.updateWebhook('w1', { enabled: false });
    await client.deleteWebhook('w1');
    expect(seen.map(({ method, url, body }) => [method, url, body])).toEqual([
      ['POST', '/api/v1/webhooks', JSON.stringify(input)],
      ['PATCH', '/api/v1/webhooks/w1', '{"enabled":false}'],
      ['DELETE', '/api/v1/webhooks/w1', ''],
    ]);
    expect(seen[0]?.headers['content-type']).toBe('application/json');
  });

  it('a created webhook without a location has no id, which is no failure', async () => {
    const { client } = await answering((_, response) => response.writeHead(201).end());
    expect(await client.createWebhook(input)).toEqual({ id: null });
  });

  it('what Gladly refuses comes with its details, as a list or as one object', async () => {
    const detail = { attr: 'url', code: 'taken', detail: 'another webhook has it', meta: { id: 'w2' } };
    for (const errors of [[detail], detail]) {
      const { client } = await answering((_, response) => json(response, 400, { errors }));
      const error = await failureOf(client.createWebhook(input));
      expect([error.kind, error.details]).toEqual(['bad_request', [detail]]);
    }
  });

  it('a report is CSV, and anything else is not one', async () => {
    const { client, seen } = await answering(({ body }, response) => {
      const csv = body.includes('2026-01-01');
      response.writeHead(200, { 'content-type': csv ? 'text/csv; charset=utf-8' : 'text/html' }).end('a,b\n1,2\n');
    });
    const report = { metricSet: 'ContactSummaryReportV2', startAt: '2026-01-01', endAt: '2026-01-01' };
    expect(await client.createReport(report)).toBe('a,b\n1,2\n');
    expect(seen[0]?.headers.accept).toBe('text/csv');
    expect((await failureOf(client.createReport({ ...report, startAt: 'x', endAt: 'x' }))).kind).toBe('unexpected');
  });
});

describe('the quota', () => {
  it('is asked before each request and told of each answer', async () => {
    const entry = await startHttp((_, response) =>
      json(
        response,
        429,
        {},
        { 'ratelimit-limit-second': '25', 'ratelimit-remaining-second': '0', 'retry-after': '9' },
      ),
    );
    const governor = createGovernor({ random: () => 0 });
    const client = createGladlyClient({
      host: extraHost(entry),
      email: EMAIL,
      apiToken: TOKEN,
      governor,
      connections: newConnections(),
    });
    expect((await failureOf(client.listAgents())).failure).toEqual({ kind: 'rate_limited', retryAfterMs: 9_000 });
    expect(governor.snapshot('GET')).toMatchObject({
      limit: 25,
      remaining: 0,
      inFlight: 0,
      heldMs: expect.closeTo(9_000, -3),
    });

    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('paused')), 20);
    await expect(client.listAgents(controller.signal)).rejects.toThrow('paused');
    expect(governor.snapshot('GET')).toMatchObject({ waiting: 0, inFlight: 0 });
  });

  it('gets its permit back when there is no answer', async () => {
    const entry = await startHttp((_, response) => response.destroy());
    const governor = createGovernor({ unlimited: true });
    const client = createGladlyClient({
      host: extraHost(entry),
      email: EMAIL,
      apiToken: TOKEN,
      governor,
      connections: newConnections(),
    });
    await failureOf(client.listAgents());
    expect(governor.snapshot('GET')).toMatchObject({ inFlight: 0, remaining: null });
  });
});
