import { expect, it } from 'vitest';
import { listActions, recordAction } from '../../../src/store/actions.ts';
import { at } from '../../support/store/samples.ts';
import { describeStore } from '../../support/store/store-suite.ts';

const HOUR_S = 3_600;

describeStore('the history', (store) => {
  it('has one row for what the same one does again within an hour, where that is asked for', async () => {
    const tenantId = await store.tenant();
    const record = (seconds: number, by: string, action: string, details: Record<string, number> = {}, folds = true) =>
      recordAction(store.db, { tenantId, at: at(seconds), by, action, reason: null, details }, { folds });
    await record(0, 'customer', 'credentials', { version: 1 });
    await record(1, 'customer', 'webhook_key');
    await record(2, 'ann', 'credentials', { version: 2 });
    await record(3, 'customer', 'credentials', { version: 3 });
    await record(4, 'customer', 'credentials', { version: 4 });
    await record(5, 'ann', 'credentials', { version: 5 }, false);
    await record(HOUR_S + 1, 'customer', 'credentials', { version: 6 });
    const rows = await listActions(store.db, tenantId, { limit: 9 });
    expect(rows.map(({ by, action, details }) => [by, action, details])).toEqual([
      ['customer', 'credentials', { version: 6 }],
      ['ann', 'credentials', { version: 5 }],
      ['ann', 'credentials', { version: 2 }],
      ['customer', 'webhook_key', {}],
      ['customer', 'credentials', { version: 4, times: 3 }],
    ]);
    const other = await store.tenant();
    await recordAction(
      store.db,
      { tenantId: other, at: at(3), by: 'customer', action: 'credentials', reason: null },
      { folds: true },
    );
    expect(await listActions(store.db, other, { limit: 9 })).toHaveLength(1);
  });
});
