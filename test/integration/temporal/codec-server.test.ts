import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Registry } from '@prometheus-io/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import Koa from 'koa';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { payloadsToJson } from '../../../src/api/codec/json-payloads.ts';
import { byBearerKey, firstKnown } from '../../../src/api/codec/operator-of.ts';
import { codecRoutes } from '../../../src/api/codec/routes.ts';
import { createSessions } from '../../../src/api/console/sessions.ts';
import { operatorsOf } from '../../../src/api/http/operators.ts';
import { createRefusedKeys } from '../../../src/api/http/refused-keys.ts';
import { type RequestState, requestLog } from '../../../src/api/http/request-log.ts';
import { createPayloadCodec } from '../../../src/temporal/payload-codec.ts';

const UI = 'http://127.0.0.1:8233';
const secretKeys = [{ id: 'k1', key: randomBytes(32).toString('base64') }];
const operatorKeys = [
  { key: randomBytes(24).toString('base64url'), role: 'operator', name: 'ann' },
  { key: randomBytes(24).toString('base64url'), role: 'viewer', name: 'vic' },
] as const;
const [operator, viewer] = operatorKeys.map(({ key }) => ({ authorization: `Bearer ${key}` }));
const NOBODY = { end: async () => undefined, isEnded: async () => false };
const sessions = createSessions({ operatorKeys, secretKeys, ended: NOBODY, secure: false });
const codec = createPayloadCodec(secretKeys);
const plain = (value: unknown): Payload => defaultPayloadConverter.toPayload(value) ?? {};

let url = '';
const log: string[] = [];
const server = createServer();

beforeAll(async () => {
  const app = new Koa<RequestState>();
  app.use(requestLog(pino({ level: 'debug' }, { write: (line) => void log.push(line) })));
  const operatorOf = firstKnown(byBearerKey(operatorsOf(operatorKeys)), sessions.operatorOf);
  // As Temporal UI's address is configured: what counts is its origin.
  const refusedKeys = createRefusedKeys({ registry: new Registry(), proxies: 0 });
  app.use(codecRoutes({ codec, operatorOf, refusedKeys, uiUrl: `${UI}/some/path` }).routes());
  server.on('request', app.callback());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

/** As Temporal UI 2.54 calls it. */
function ask(action: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/codec/${action}?preserveStorageRefs=true`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-namespace': 'default', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

describe('the codec server', () => {
  it('decodes for an operator, and passes what is not encrypted', async () => {
    const request = payloadsToJson([...(await codec.encode([plain({ by: 'ann' })])), plain('typed')]);
    const answer = await ask('decode', request, operator);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual(payloadsToJson([plain({ by: 'ann' }), plain('typed')]));
  });

  it('encodes what a worker can decode', async () => {
    const answer = await ask('encode', payloadsToJson([plain({ by: 'ann' })]), operator);
    const { payloads } = (await answer.json()) as { payloads: { metadata: Record<string, string>; data: string }[] };
    const bytes = payloads.map(({ metadata, data }) => ({
      metadata: Object.fromEntries(Object.entries(metadata).map(([k, v]) => [k, Buffer.from(v, 'base64')])),
      data: Buffer.from(data, 'base64'),
    }));
    expect(payloads[0]?.metadata['encoding']).toBe(Buffer.from('binary/encrypted').toString('base64'));
    const [opened] = await codec.decode(bytes);
    expect(defaultPayloadConverter.fromPayload(opened ?? {})).toEqual({ by: 'ann' });
  });

  it.each([
    ['without a key', {}],
    ['with a wrong key', { authorization: `Bearer ${'x'.repeat(32)}` }],
    ['with a cookie that nobody made', { cookie: 'console=1.2.3' }],
  ])('tells nothing %s', async (_, headers) => {
    for (const action of ['decode', 'encode']) {
      const answer = await ask(action, payloadsToJson(await codec.encode([plain('secret')])), headers);
      expect(answer.status).toBe(401);
      expect(await answer.json()).toMatchObject({ code: 'unauthorized' });
    }
  });

  it('takes the console’s cookie, as Temporal UI sends it from its own origin', async () => {
    const cookie = sessions.signIn(operatorKeys[0].key)?.split(';')[0] ?? '';
    const answer = await ask('decode', payloadsToJson(await codec.encode([plain(1)])), { cookie, origin: UI });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBe(UI);
    expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
    expect(answer.headers.get('vary')).toContain('Origin');
  });

  it('decrypts and encrypts nothing for a viewer', async () => {
    expect((await ask('decode', { payloads: [] }, viewer)).status).toBe(403);
    const refused = await ask('encode', { payloads: [] }, viewer);
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ code: 'forbidden' });
  });

  it('answers the browser’s preflight of Temporal UI', async () => {
    const answer = await fetch(`${url}/codec/decode?preserveStorageRefs=true`, {
      method: 'OPTIONS',
      headers: {
        origin: UI,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,x-namespace',
      },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe(UI);
    expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
    expect(answer.headers.get('access-control-allow-methods')).toContain('POST');
    expect(answer.headers.get('access-control-allow-headers')).toContain('x-namespace');
  });

  it('says why even when it refuses, so that Temporal UI can tell it from an outage', async () => {
    const answer = await ask('decode', { payloads: [] }, { origin: UI });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('access-control-allow-origin')).toBe(UI);
  });

  it.each(['http://127.0.0.1:8234', 'https://evil.example', 'null'])('refuses pages of %s', async (origin) => {
    const answer = await ask('decode', { payloads: [] }, { ...operator, origin });
    expect(answer.status).toBe(403);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    const preflight = await fetch(`${url}/codec/decode`, { method: 'OPTIONS', headers: { origin } });
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('shows the rest when one payload cannot be decrypted', async () => {
    const stranger = createPayloadCodec([{ id: 'lost', key: randomBytes(32).toString('base64') }]);
    const [lost, mine] = [...(await stranger.encode([plain('x')])), ...(await codec.encode([plain('y')]))];
    const answer = await ask('decode', payloadsToJson([lost ?? {}, mine ?? {}]), operator);
    expect(await answer.json()).toEqual(payloadsToJson([lost ?? {}, plain('y')]));
    expect(log.join('')).toContain('key lost');
  });

  it.each([
    ['not JSON', '{', 422],
    ['no base64', { payloads: [{ metadata: {}, data: '%%%' }] }, 422],
    ['no list', { payloads: 'x' }, 422],
    ['too large', `{"payloads":[{"data":"${'A'.repeat(9 * 1024 * 1024)}"}]}`, 413],
  ])('refuses what is %s', async (_, body, status) => {
    expect((await ask('decode', body, operator)).status).toBe(status);
  });

  it('takes the largest payload that Temporal does', async () => {
    const [large] = await codec.encode([plain('a'.repeat(2 * 1024 * 1024))]);
    const answer = await ask('decode', payloadsToJson([large ?? {}]), operator);
    expect(answer.status).toBe(200);
  });

  it('has nothing of a payload in its log', () => {
    expect(log.length).toBeGreaterThan(10);
    expect(log.join('')).not.toContain('ann');
  });
});
