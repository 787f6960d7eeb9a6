import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { extractionWorkflowId } from '../../../src/contracts/tenant.ts';
import { startGladly, type TestGladly } from '../../support/onboarding/gladly.ts';
import { createTenant, credentialsOf, type TestTenant } from '../../support/onboarding/tenant.ts';
import { startWorld, type World } from '../../support/onboarding/world.ts';

const OPERATOR = randomBytes(24).toString('base64url');
const VIEWER = randomBytes(24).toString('base64url');
const problem = z
  .object({
    code: z.string(),
    status: z.number(),
    detail: z.string(),
    errors: z.array(z.object({ field: z.string() }).loose()).optional(),
  })
  .loose();

describe('the operators’ API', { timeout: 60_000 }, () => {
  let world: World;
  let gladly: TestGladly;
  let tenant: TestTenant;

  beforeAll(async () => {
    gladly = await startGladly();
    const env = { OPERATOR_KEYS: `ann:${OPERATOR},bob:viewer:${VIEWER}` };
    world = await startWorld({ gladlyHosts: [gladly.host], env });
    // The world's own key is not among these: tenants are made with ours.
    world = { ...world, api: async (method, path, body) => (await ask(method, path, body)).body };
    tenant = await createTenant(world, { webhookSetup: 'create_for_me' });
    await tenant.give(credentialsOf(gladly));
    await tenant.until(({ onboarding }) => onboarding.state === 'done');
  });
  afterAll(async () => {
    await world?.close();
    await gladly?.close();
  });

  async function ask(method: string, path: string, body?: unknown, key = OPERATOR, type = 'application/json') {
    const response = await fetch(world.url + path, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': type }) },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      body: text === '' ? null : (JSON.parse(text) as unknown),
    };
  }

  const refused = async (method: string, path: string, body?: unknown, key?: string, type?: string) => {
    const answer = await ask(method, path, body, key, type);
    expect(answer.type).toBe('application/problem+json');
    const found = problem.parse(answer.body);
    expect(found.status).toBe(answer.status);
    return found;
  };

  test('asks for a key, and tells nothing without one', async () => {
    expect(await refused('GET', '/v1/tenants', undefined, 'x'.repeat(32))).toMatchObject({
      status: 401,
      code: 'unauthorized',
    });
    expect(await refused('GET', '/v1/tenants/nobody', undefined, 'x'.repeat(32))).toMatchObject({ status: 401 });
  });

  test('lets a viewer look and change nothing', async () => {
    const seen = await ask('GET', `/v1/tenants/${tenant.id}`, undefined, VIEWER);
    expect(seen.status).toBe(200);
    // Whoever has the connect link can change things.
    expect(seen.body).toMatchObject({ connectUrl: null });
    expect(await refused('POST', `/v1/tenants/${tenant.id}/pause`, {}, VIEWER)).toMatchObject({
      status: 403,
      code: 'forbidden',
    });
  });

  test('names each field that does not fit: 422', async () => {
    const found = await refused('POST', '/v1/tenants', { tenantId: 'No Good', name: '', retentionDays: 15, extra: 1 });
    expect(found).toMatchObject({ status: 422, code: 'invalid_request' });
    expect(found.errors?.map(({ field }) => field).sort()).toEqual(['extra', 'name', 'retentionDays', 'tenantId']);
  });

  test('says which domain it cannot use', async () => {
    const given = { ...credentialsOf(gladly), domain: 'evil.example.com' };
    const found = await refused('PUT', `/v1/tenants/${tenant.id}/credentials`, given);
    expect(found).toMatchObject({ status: 422, errors: [{ field: 'domain' }] });
    expect(JSON.stringify(found)).not.toContain(gladly.apiToken);
  });

  test.each([
    ['a tenant that exists', 'POST', '/v1/tenants', { tenantId: 'tenant-1', name: 'Again' }, 409, 'tenant_exists'],
    ['a tenant that does not', 'GET', '/v1/tenants/nobody', undefined, 404, 'not_found'],
    ['an address that does not exist', 'GET', '/v1/nothing', undefined, 404, 'not_found'],
    ['an address with a NUL in it', 'GET', '/v1/tenants/tenant-1/conversations/%00', undefined, 404, 'not_found'],
    ['another method', 'PUT', '/v1/tenants', {}, 405, 'method_not_allowed'],
    ['erasing a tenant that is connected', 'DELETE', '/v1/tenants/tenant-1/data', { reason: 'x' }, 409, 'conflict'],
    ['what is not JSON', 'POST', '/v1/tenants', '{"tenantId":', 422, 'invalid_request'],
    ['an event id with a NUL', 'POST', '/v1/tenants/tenant-1/redrive', { eventIds: ['a\0b'] }, 422, 'invalid_request'],
    [
      'no choice of set-up',
      'POST',
      '/v1/tenants/tenant-1/webhook-setup',
      { webhook: 'by_hand' },
      422,
      'invalid_request',
    ],
    ['a body of 65 KiB', 'POST', '/v1/tenants', `"${'x'.repeat(66_000)}"`, 413, 'payload_too_large'],
  ])('answers %s with %s %s', async (_, method, path, body, status, code) => {
    expect(await refused(method, path, body)).toMatchObject({ status, code });
  });

  test('takes JSON only', async () => {
    const found = await refused('POST', '/v1/tenants', 'tenantId=a', OPERATOR, 'text/plain');
    expect(found).toMatchObject({ status: 415, code: 'unsupported_media_type' });
  });

  test('pause and resume are who and why', async () => {
    const state = z.object({ extraction: z.object({ state: z.string(), pause: z.unknown() }).loose() }).loose();
    expect((await ask('POST', `/v1/tenants/${tenant.id}/pause`, { reason: 'lunch' })).status).toBe(202);
    await expect
      .poll(async () => state.parse((await ask('GET', `/v1/tenants/${tenant.id}`)).body).extraction, {
        timeout: 20_000,
      })
      .toMatchObject({ state: 'paused', pause: { by: 'ann', reason: 'lunch' } });
    expect((await ask('POST', `/v1/tenants/${tenant.id}/resume`)).status).toBe(202);
    await expect
      .poll(async () => state.parse((await ask('GET', `/v1/tenants/${tenant.id}`)).body).extraction, {
        timeout: 20_000,
      })
      .toMatchObject({ pause: null });
  });

  test('an unknown signal is counted and logged', async () => {
    const handle = world.env.client.workflow.getHandle(extractionWorkflowId(tenant.id));
    await handle.signal('Pause', { by: 'a typo' });
    const counted = z
      .object({
        extraction: z.object({ unknownSignals: z.number(), lastUnknownSignal: z.string().nullable() }).loose(),
      })
      .loose();
    await expect
      .poll(async () => counted.parse((await ask('GET', `/v1/tenants/${tenant.id}`)).body).extraction, {
        timeout: 20_000,
      })
      .toMatchObject({ unknownSignals: 1, lastUnknownSignal: 'Pause' });
  });

  test('an extraction that somebody cancels in Temporal goes on: only disconnecting ends it', async () => {
    const handle = world.env.client.workflow.getHandle(extractionWorkflowId(tenant.id));
    await handle.cancel();
    const before = (await handle.describe()).historyLength;
    await handle.signal('wake');
    await expect.poll(async () => (await handle.describe()).historyLength, { timeout: 20_000 }).toBeGreaterThan(before);
    expect((await handle.describe()).status.name).toBe('RUNNING');
  });

  test('documents every endpoint that it serves', async () => {
    const document = z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) }).loose();
    const { paths } = document.parse((await ask('GET', '/openapi.json')).body);
    for (const path of ['/v1/tenants', '/v1/tenants/{tenantId}/pause', '/v1/tenants/{tenantId}/conversations']) {
      expect(Object.keys(paths)).toContain(path);
    }
  });

  test('says where a body is required', async () => {
    const operation = z.object({ requestBody: z.object({ required: z.boolean() }).optional() });
    const document = z.object({ paths: z.record(z.string(), z.record(z.string(), operation)) }).loose();
    const { paths } = document.parse((await ask('GET', '/openapi.json')).body);
    const required = (path: string, method: string) => paths[path]?.[method]?.requestBody?.required;
    expect(required('/v1/tenants', 'post')).toBe(true);
    expect(required('/v1/tenants/{tenantId}/credentials', 'put')).toBe(true);
    expect(required('/v1/tenants/{tenantId}/webhook-setup', 'post')).toBe(true);
    expect(required('/v1/tenants/{tenantId}/resume', 'post')).toBe(false);
    expect(required('/v1/tenants', 'get')).toBeUndefined();
  });

  test('takes the choice of set-up under both of its names', async () => {
    for (const body of [{ webhookSetup: 'create_for_me' }, { setup: 'create_for_me' }])
      expect(await ask('POST', `/v1/tenants/${tenant.id}/webhook-setup`, body)).toMatchObject({ status: 202 });
  });

  test('says in the list, too, what a set-up waits for', async () => {
    const waiting = await createTenant(world, {});
    await waiting.give({ ...credentialsOf(gladly), email: 'nobody@example.com' });
    await waiting.until(({ onboarding }) =>
      onboarding.steps.some(({ problem: found }) => found?.code === 'token_rejected'),
    );
    expect((await ask('GET', `/v1/tenants/${waiting.id}`)).body).toMatchObject({
      problem: 'token_rejected',
      onboarding: { problem: { code: 'token_rejected' } },
    });
    const { tenants } = z
      .object({ tenants: z.array(z.object({ tenantId: z.string(), problem: z.string().nullable() })) })
      .parse((await ask('GET', '/v1/tenants')).body);
    expect(tenants.find(({ tenantId }) => tenantId === waiting.id)?.problem).toBe('token_rejected');
    expect(tenants.find(({ tenantId }) => tenantId === tenant.id)?.problem).toBeNull();
  });

  test('says that it is ready, and what it needs', async () => {
    const answer = await fetch(`${world.url}/health/ready`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      status: 'ready',
      parts: { database: 'ok', temporal: 'ok', queue: 'ok' },
    });
  });
});
