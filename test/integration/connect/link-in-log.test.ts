import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTenant } from '../../../src/store/tenants.ts';
import { type BareApi, postForm, startBareApi } from '../../support/bare-api.ts';

describe('a connect link', () => {
  let api: BareApi;
  let token = '';

  beforeAll(async () => {
    api = await startBareApi();
    await createTenant(api.db, { tenantId: 'acme', name: 'Acme', retentionDays: 4 });
    token = (await api.connectUrl('acme')).split('/').at(-1) ?? '';
  });
  afterAll(async () => {
    await api?.close();
  });

  it.each([
    ['/connect/TOKEN', 200],
    ['/CONNECT/TOKEN', 404],
    ['/Connect/TOKEN/live', 404],
    ['//connect/TOKEN', 404],
    ['/connect//TOKEN', 404],
    ['/nothing/TOKEN', 404],
    ['/v1/tenants/TOKEN', 401],
    ['/console/TOKEN', 303],
  ])('is in no line of the log: %s', async (path, status) => {
    const before = api.log.length;
    const answer = await fetch(`${api.url}${path.replace('TOKEN', token)}`, { redirect: 'manual' });
    expect(answer.status).toBe(status);
    await expect.poll(() => api.log.slice(before).some((line) => line.includes('request.done'))).toBe(true);
    expect(api.log.slice(before).filter((line) => line.includes(token.slice(-20)))).toEqual([]);
  });

  it('is in no line of the log when its form fails', async () => {
    const answer = await postForm(`${api.url}/connect/${token}/recheck`);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(api.log.filter((line) => line.includes(token.slice(-20)))).toEqual([]);
  });
});
