import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { demoCredentials } from '../../../simulator/simulator.ts';
import { type Gladly, startGladly } from '../../support/simulator/gladly.ts';

const tokenSchema = z.object({ tokenId: z.string(), email: z.string(), apiToken: z.string() });
const usersSchema = z.object({
  users: z.array(z.looseObject({ id: z.string(), email: z.string(), tokenIds: z.array(z.string()) })),
});

async function demoUser(gladly: Gladly) {
  const { users } = await gladly.control(usersSchema, 'GET', '/users');
  const user = users.find(({ email }) => email === gladly.credentials.email);
  if (user === undefined) throw new Error('there is no demo user');
  return user;
}

const setRoles = async (gladly: Gladly, roles: string[]) =>
  gladly.control(z.unknown(), 'PATCH', `/users/${(await demoUser(gladly)).id}`, { roles });

const REPORT = { metricSet: 'ConversationExportReport', startAt: '2026-01-01', endAt: '2026-01-02' };

describe('authentication', () => {
  test('the demo user of the seed is let in', async () => {
    const gladly = await startGladly({ seed: 'abc' });
    expect(gladly.credentials).toEqual(demoCredentials('abc'));
    expect((await gladly.api('GET', '/organization')).status).toBe(200);
  });

  test('the demo user may have another address', async () => {
    const gladly = await startGladly({ adminEmail: 'me@company.example' });
    const as = { ...gladly.credentials, email: 'me@company.example' };
    expect((await gladly.api('GET', '/organization', undefined, as)).status).toBe(200);
  });

  test('nothing, another scheme, a wrong token and a token of another user are 401', async () => {
    const gladly = await startGladly();
    expect((await gladly.call('GET', '/api/v1/organization')).status).toBe(401);
    const bearer = { authorization: `Bearer ${gladly.credentials.apiToken}` };
    expect((await gladly.call('GET', '/api/v1/organization', undefined, bearer)).status).toBe(401);
    const wrong = { ...gladly.credentials, apiToken: 'wrong' };
    const refused = await gladly.api('GET', '/organization', undefined, wrong);
    expect([refused.status, refused.text]).toEqual([401, '']);
    const { users } = await gladly.control(usersSchema, 'GET', '/users');
    const other = { ...gladly.credentials, email: users[0]?.email ?? '' };
    expect((await gladly.api('GET', '/organization', undefined, other)).status).toBe(401);
  });

  test('an unknown path is 404 with a token and 401 without', async () => {
    const gladly = await startGladly();
    expect((await gladly.api('GET', '/nothing')).status).toBe(404);
    expect((await gladly.call('GET', '/api/v1/nothing')).status).toBe(401);
  });

  test('a token can be made and revoked', async () => {
    const gladly = await startGladly();
    const user = await demoUser(gladly);
    const token = await gladly.control(tokenSchema, 'POST', `/users/${user.id}/tokens`);
    const as = { email: token.email, apiToken: token.apiToken };
    expect((await gladly.api('GET', '/organization', undefined, as)).status).toBe(200);
    await gladly.control(z.unknown(), 'DELETE', `/tokens/${token.tokenId}`);
    expect((await gladly.api('GET', '/organization', undefined, as)).status).toBe(401);
    for (const tokenId of user.tokenIds) await gladly.control(z.unknown(), 'DELETE', `/tokens/${tokenId}`);
    expect((await gladly.api('GET', '/organization')).status).toBe(401);
  });
});

describe('roles', () => {
  test('without API User every call is 403', async () => {
    const gladly = await startGladly();
    await setRoles(gladly, ['Agent', 'Administrator']);
    for (const path of ['/organization', '/agents', '/webhooks', '/conversations/x']) {
      expect((await gladly.api('GET', path)).status).toBe(403);
    }
    expect((await gladly.api('POST', '/reports', REPORT)).status).toBe(403);
  });

  test('without Administrator only reports are 403', async () => {
    const gladly = await startGladly();
    await setRoles(gladly, ['API User', 'Agent']);
    expect((await gladly.api('POST', '/reports', REPORT)).status).toBe(403);
    for (const path of ['/organization', '/agents', '/webhooks']) {
      expect((await gladly.api('GET', path)).status).toBe(200);
    }
    await setRoles(gladly, ['API User', 'Agent', 'Administrator']);
    expect((await gladly.api('POST', '/reports', REPORT)).status).toBe(200);
  });

  test('without Agent the user is missing from the agents', async () => {
    const gladly = await startGladly();
    const { id } = await demoUser(gladly);
    expect((await gladly.api('GET', '/agents')).text).toContain(gladly.credentials.email);
    expect((await gladly.api('GET', `/agents/${id}`)).status).toBe(200);
    await setRoles(gladly, ['API User', 'Administrator']);
    expect((await gladly.api('GET', '/agents')).text).not.toContain(gladly.credentials.email);
    expect((await gladly.api('GET', `/agents/${id}`)).status).toBe(404);
  });

  test('a user can be added, once for an address', async () => {
    const gladly = await startGladly();
    const user = { email: 'new@company.example', roles: ['API User'] };
    const added = await gladly.control(z.object({ id: z.string() }).loose(), 'POST', '/users', user);
    const token = await gladly.control(tokenSchema, 'POST', `/users/${added.id}/tokens`);
    expect((await gladly.api('GET', '/inboxes', undefined, token)).status).toBe(200);
    expect((await gladly.call('POST', '/simulator/users', user)).status).toBe(409);
  });
});
