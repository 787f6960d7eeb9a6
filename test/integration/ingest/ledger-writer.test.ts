import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { createLedgerWriter } from '../../../src/api/ingest/ledger-writer.ts';
import type { LedgerRow } from '../../../src/api/ingest/ports.ts';
import { eventCounts } from '../../../src/store/ledger/counters.ts';
import { eventBody } from '../../support/ingest/endpoint.ts';
import { withRule } from '../../support/store/samples.ts';
import { describeStore } from '../../support/store/store-suite.ts';

const row = (tenantId: string, body: string): LedgerRow => ({
  tenantId,
  keyId: 'k',
  acceptedAt: 1_000,
  body: Buffer.from(body),
});

describeStore('the ledger as ingest writes it', (store) => {
  test('rows of several tenants in one write; a removed tenant does not affect the others', async () => {
    const [one, two] = [await store.tenant(), await store.tenant()];
    const rows = [row(two, eventBody()), row('removed', eventBody()), row(one, eventBody()), row(two, 'no json')];
    expect(await createLedgerWriter(store.db).put(rows)).toEqual([true, false, true, true]);
    expect(await eventCounts(store.db, two)).toMatchObject({ waiting: 1, rejected: 1 });
    expect(await eventCounts(store.db, one)).toMatchObject({ waiting: 1 });
  });

  test('the same delivery twice is one row, whether it has an id or not', async () => {
    const tenantId = await store.tenant();
    const bodies = [eventBody(), 'no json'];
    const writer = createLedgerWriter(store.db);
    for (let n = 0; n < 2; n += 1)
      expect(await writer.put(bodies.map((body) => row(tenantId, body)))).toEqual([true, true]);
    expect(await eventCounts(store.db, tenantId)).toMatchObject({ waiting: 1, rejected: 1 });
  });

  describe('a row that Postgres refuses', () => {
    const putUnder = (check: string, tenantId: string, bodies: readonly string[]) =>
      withRule(store.db, 'events', check, () =>
        createLedgerWriter(store.db).put(bodies.map((body) => row(tenantId, body))),
      );

    test('is set aside alone, and kept, so that Gladly need not send it again', async () => {
      const tenantId = await store.tenant();
      const bodies = Array.from({ length: 7 }, (_, n) => eventBody(n === 4 ? { id: 'poison' } : {}));
      const written = await putUnder(`event_id <> 'poison'`, tenantId, bodies);
      expect(written).toEqual(bodies.map(() => true));
      expect(await eventCounts(store.db, tenantId)).toMatchObject({ waiting: 6, rejected: 1 });
    });

    test('is the only one that is not written when its bytes are refused', async () => {
      const tenantId = await store.tenant();
      const bodies = Array.from({ length: 7 }, (_, n) => (n === 4 ? 'seven 7' : eventBody()));
      const written = await putUnder('length(body) <> 7', tenantId, bodies);
      expect(written).toEqual([true, true, true, true, false, true, true]);
      expect(await eventCounts(store.db, tenantId)).toMatchObject({ waiting: 6, rejected: 0 });
    });
  });
});
