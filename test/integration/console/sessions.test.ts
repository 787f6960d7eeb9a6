import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BareApi, postForm, signedIn, startBareApi } from '../../support/bare-api.ts';
import { KEYS } from '../../support/browser/operator.ts';

describe('a session that was signed out of', () => {
  let api: BareApi;
  beforeAll(async () => {
    api = await startBareApi();
  });
  afterAll(async () => {
    await api?.close();
  });

  const opens = async (url: string, cookie: string): Promise<boolean> =>
    (await fetch(`${url}/console`, { headers: { cookie }, redirect: 'manual' })).status === 200;

  it('has ended in every process, and after a restart; no other has', async () => {
    const other = await api.another();
    const [cookie, vics] = [await signedIn(api.url, KEYS.ann), await signedIn(api.url, KEYS.vic)];
    const later = await signedIn(other.url, KEYS.ann);
    expect([await opens(api.url, cookie), await opens(other.url, cookie)]).toEqual([true, true]);

    const answer = await postForm(`${api.url}/console/sign-out`, {}, { cookie });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/console/sign-in']);
    expect(answer.headers.get('set-cookie')).toMatch(/^console=; Path=\/; Max-Age=0/);
    expect(answer.headers.get('clear-site-data')).toBe('"cache", "storage"');
    expect([await opens(api.url, cookie), await opens(other.url, cookie)]).toEqual([false, false]);
    await other.stop();
    const restarted = await api.another();
    expect(await opens(restarted.url, cookie)).toBe(false);
    expect([await opens(restarted.url, vics), await opens(restarted.url, later)]).toEqual([true, true]);
    await restarted.stop();
  });

  it('decodes nothing for Temporal UI any more', async () => {
    const cookie = await signedIn(api.url, KEYS.ann);
    const decode = async () =>
      (
        await fetch(`${api.url}/codec/decode`, {
          method: 'POST',
          headers: { cookie, 'content-type': 'application/json' },
          body: '{"payloads":[]}',
        })
      ).status;
    expect(await decode()).toBe(200);
    await postForm(`${api.url}/console/sign-out`, {}, { cookie });
    expect(await decode()).toBe(401);
  });

  it('is kept until it would have expired, and what nobody signed in to not at all', async () => {
    const rows = async () => (await api.db.query('SELECT session_hash AS hash FROM ended_sessions')).rows;
    await api.db.query('DELETE FROM ended_sessions');
    await api.db.query(`INSERT INTO ended_sessions VALUES ('old', now() - interval '1 second')`);
    await postForm(`${api.url}/console/sign-out`, {}, { cookie: 'console=1234567890123.x.y' });
    expect(await rows()).toEqual([{ hash: 'old' }]);
    const cookie = await signedIn(api.url, KEYS.ann);
    await postForm(`${api.url}/console/sign-out`, {}, { cookie });
    await postForm(`${api.url}/console/sign-out`, {}, { cookie });
    const kept = await rows();
    expect(kept).toHaveLength(1);
    expect(kept).not.toContainEqual({ hash: 'old' });
    // What is stored is of no use to whoever reads it.
    for (const part of cookie.split(/[=.]/)) expect(JSON.stringify(kept)).not.toContain(part);
  });
});
