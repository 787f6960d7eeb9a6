import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { deliver, saveByHand } from '../../support/onboarding/faults/webhook.ts';
import { startGladly, type TestGladly } from '../../support/onboarding/gladly.ts';
import { findSecrets, type Secret, tokensOf } from '../../support/onboarding/secrets.ts';
import { createTenant, credentialsOf, type ShownStatus, stepIn } from '../../support/onboarding/tenant.ts';
import { eventually } from '../../support/onboarding/waits.ts';
import { startWorld, type World } from '../../support/onboarding/world.ts';

const isDone = (it: ShownStatus): boolean => it.onboarding.state === 'done';
const headersSchema = z.object({ headers: z.object({ 'x-api-key': z.string() }) });

let gladly: TestGladly;
/** In front of the simulator: sees the webhook key that we send to Gladly. */
let listener: http.Server;
let host: string;
let world: World;
const secrets: Secret[] = [];

beforeAll(async () => {
  gladly = await startGladly();
  listener = http.createServer((request, response) => {
    passOn(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
  world = await startWorld({ gladlyHosts: [host, gladly.host], env: { ONBOARDING_RECHECK_MS: '300' } });
});
async function passOn(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const body = Buffer.concat(chunks).toString('utf8');
  const sent = headersSchema.safeParse(body === '' ? null : JSON.parse(body));
  if (sent.success) secrets.push({ name: 'key sent to Gladly', text: sent.data.headers['x-api-key'] });
  const answer = await fetch(`http://${gladly.host}${request.url}`, {
    method: request.method ?? 'GET',
    headers: { authorization: request.headers.authorization ?? '', 'content-type': 'application/json' },
    ...(body === '' ? {} : { body }),
  });
  const type = answer.headers.get('content-type') ?? 'application/json';
  response.writeHead(answer.status, { 'content-type': type }).end(await answer.text());
}

afterAll(async () => {
  await world?.close();
  listener?.closeAllConnections();
  await new Promise((resolve) => listener?.close(resolve));
  await gladly?.close();
});

it('neither token nor webhook key is in a log line, a history, an error or the database', async () => {
  secrets.push(...tokensOf([gladly]));
  const forUs = await createTenant(world, { webhookSetup: 'create_for_me' });
  const byHand = await createTenant(world);
  secrets.push(
    { name: 'key of the first', text: forUs.webhookKey },
    { name: 'key of the second', text: byHand.webhookKey },
  );

  // All goes well, and all that can be refused is refused: a token, a body, a key, a role, a webhook.
  await gladly.fault({ path: '/api/v1/organization', cut: true, times: 2 });
  await gladly.fault({ method: 'POST', path: '/api/v1/webhooks', status: 500, times: 1 });
  await forUs.give({ ...credentialsOf(gladly), domain: host });
  await forUs.until(isDone);
  const wrong = { name: 'a wrong token', text: 'wrong-token-3f9a1c77' };
  secrets.push(wrong);
  await byHand.give({ ...credentialsOf(gladly), apiToken: wrong.text });
  await byHand.until((it) => stepIn(it, 'token').state === 'needs_you');
  await expect(
    world.api('PUT', `/v1/tenants/${byHand.id}/credentials`, { ...credentialsOf(gladly), domain: 'not gladly' }),
  ).rejects.toThrow('422');
  await saveByHand({ gladly, tenant: byHand });
  await byHand.give(credentialsOf(gladly));
  await byHand.until(isDone);
  await expect(deliver(byHand.webhookUrl, forUs.webhookKey, { type: 'PING' })).rejects.toThrow('401');
  await gladly.control('POST', '/emit', { count: 10, onlySubscribed: true });
  await eventually(async () => expect((await byHand.status()).events.extracted).toBeGreaterThan(5));
  const statuses = JSON.stringify([await forUs.status(), await byHand.status()]);

  expect(secrets.map((it) => it.name)).toContain('key sent to Gladly');
  expect(secrets.filter((it) => statuses.includes(it.text))).toEqual([]);
  expect(await findSecrets(world, secrets)).toEqual([]);
}, 60_000);

it('what is searched is there to be found', async () => {
  const found = await findSecrets(world, [
    { name: 'a path', text: '/v1/tenants' },
    { name: 'a host', text: host },
    { name: 'a word of the evidence', text: 'email address and token work' },
  ]);
  expect(found.some((it) => it === 'a path in the log')).toBe(true);
  expect(found.some((it) => it === 'a host in table credentials')).toBe(true);
  expect(found.some((it) => it.startsWith('a word of the evidence in the history of onboarding/'))).toBe(true);
});
