import { expect, it } from 'vitest';
import { exchangeQuotaClaims, pruneQuotaClaims, withdrawQuotaClaims } from '../../../src/store/quota-claims.ts';
import { describeStore } from '../../support/store/store-suite.ts';

describeStore('claims on the quota', (store) => {
  let organizations = 0;
  const newHost = (): string => `org-${organizations++}.gladly.com`;
  const claim = (host: string, claims = 1, method = 'GET') => ({ host, method, wants: 7, claims, peak: 2 });
  const exchange = (worker: string, ...own: ReturnType<typeof claim>[]) => exchangeQuotaClaims(store.db, worker, own);

  it('are told to the others of the same organization and method, and to nobody else', async () => {
    const [host, other] = [newHost(), newHost()];
    expect(await exchange('a', claim(host, 7), claim(other, 3), claim(host, 1, 'POST'))).toEqual([]);
    expect(await exchange('b', claim(host, 0.5))).toEqual([{ host, method: 'GET', wants: 7, claims: 7, peak: 2 }]);
    expect(await exchange('a', claim(host, 6.5), claim(other, 3))).toEqual([claim(host, 0.5)]);
    expect(await exchange('c', claim(host, 0))).toEqual(expect.arrayContaining([claim(host, 6.5), claim(host, 0.5)]));
  });

  it('end with their worker, in order or after seconds of silence', async () => {
    const host = newHost();
    for (const worker of ['d', 'e', 'f']) await exchange(worker, claim(host));
    await withdrawQuotaClaims(store.db, 'd');
    await store.db.query("UPDATE quota_claims SET seen_at = seen_at - interval '8 seconds' WHERE worker = 'e'");
    expect(await exchange('g', claim(host))).toHaveLength(1);
    // It was only slow.
    await exchange('e', claim(host));
    expect(await exchange('g', claim(host))).toHaveLength(2);
  });

  it('are forgotten a minute later', async () => {
    const host = newHost();
    await exchange('h', claim(host), claim(host, 1, 'POST'));
    await store.db.query(
      "UPDATE quota_claims SET seen_at = seen_at - interval '61 seconds' WHERE host = $1 AND method = 'GET'",
      [host],
    );
    await pruneQuotaClaims(store.db);
    const { rows } = await store.db.query('SELECT method FROM quota_claims WHERE host = $1', [host]);
    expect(rows).toEqual([{ method: 'POST' }]);
  });

  it('of workers that speak at the same time do not hold each other up', async () => {
    const hosts = Array.from({ length: 200 }, newHost);
    await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        exchange(`w${n}`, ...(n % 2 === 0 ? hosts : hosts.toReversed()).map((host) => claim(host))),
      ),
    );
    expect(await exchange('w0', claim(hosts[0] ?? ''))).toHaveLength(7);
  });
});
