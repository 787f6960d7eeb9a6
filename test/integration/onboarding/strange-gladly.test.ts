import type { IncomingMessage, ServerResponse } from 'node:http';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NINE_EVENTS } from '../../support/onboarding/faults/row.ts';
import { deliver } from '../../support/onboarding/faults/webhook.ts';
import { createTenant, type ShownStatus, stepIn } from '../../support/onboarding/tenant.ts';
import { startWorld, type World } from '../../support/onboarding/world.ts';

/** The address that the tenants of this file have in the internet. */
const PUBLIC_URL = 'https://hooks.idiomatic.example';
const GIVEN = { email: 'integration@customer.example', apiToken: 'a-token' };
const isDone = (it: ShownStatus): boolean => it.onboarding.state === 'done';

/** A Gladly that says what the simulator never would. */
describe('a Gladly of which the test writes every answer', () => {
  const seen: { readonly at: number; readonly what: string }[] = [];
  let agentId = 'agent-1';
  let webhookUrl = '';
  let server: http.Server;
  let host: string;
  let world: World;

  const answers = (): Readonly<Record<string, unknown>> => ({
    'GET /api/v1/organization': { id: 'org-1', gladlyUrl: 'https://elsewhere.example' },
    'GET /api/v1/agents': [{ id: agentId, emailAddress: GIVEN.email }],
    'POST /api/v1/reports': 'Conversations',
    'GET /api/v1/webhooks': [
      { id: 'w-1', url: webhookUrl, events: NINE_EVENTS, headerKeys: ['x-api-key'], enabled: true },
    ],
  });

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const what = `${request.method} ${request.url}`;
    seen.push({ at: performance.now(), what });
    const found = answers()[what];
    const type = typeof found === 'string' ? 'text/csv' : 'application/json';
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': type }).end(JSON.stringify(found));
  }

  beforeAll(async () => {
    server = http.createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    world = await startWorld({ gladlyHosts: [host], env: { PUBLIC_URL } });
  });
  afterAll(async () => {
    await world?.close();
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
  });

  it('is asked at most twice a second, told of an http URL, and of a user who has changed', async () => {
    const tenant = await createTenant(world);
    webhookUrl = tenant.webhookUrl.replace('https:', 'http:');
    await tenant.give({ domain: host, ...GIVEN });
    const stuck = stepIn(await tenant.until((it) => stepIn(it, 'webhook').state === 'needs_you'), 'webhook');
    expect(stuck.problem).toMatchObject({
      code: 'webhook_url_not_https',
      sentence: 'The webhook in Gladly has a URL that begins with http:// instead of https://.',
      remedy: `In Gladly, open Settings > App Developer Tools > Webhooks, edit the webhook, and set its URL to ${tenant.webhookUrl}.`,
    });

    webhookUrl = tenant.webhookUrl;
    await tenant.recheck();
    await tenant.until((it) => stepIn(it, 'proof').problem?.code === 'webhook_ping_missing');
    await deliver(`${world.url}/webhooks/gladly/${tenant.id}`, tenant.webhookKey, { type: 'PING' });
    await tenant.until(isDone);

    agentId = 'agent-2';
    await tenant.recheck();
    const changed = stepIn(await tenant.until((it) => stepIn(it, 'token').state === 'needs_you'), 'token');
    expect(changed.problem).toMatchObject({
      code: 'user_changed',
      sentence: 'The email address you gave now belongs to another Gladly user than before.',
      remedy: 'If that is intended, create an API token as that user and enter both again.',
    });
    await tenant.give({ domain: host, ...GIVEN });
    await tenant.until(isDone);

    const times = seen.map((it) => it.at);
    expect(times.length).toBeGreaterThan(10);
    // Six need 3 s. One that was late may have another on its heels: half of that is for a machine with other things to do.
    for (const [n, time] of times.slice(6).entries()) expect(time - (times[n] ?? 0)).toBeGreaterThan(1_500);
  }, 40_000);
});
