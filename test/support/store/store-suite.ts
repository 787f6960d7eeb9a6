import { afterAll, beforeAll, describe } from 'vitest';
import type { Db } from '../../../src/store/db.ts';
import { createTenant } from '../../../src/store/tenants.ts';
import { openStore, postgresKinds } from './database.ts';

export interface Store {
  readonly db: Db;
  readonly url: string;
  /** A new tenant of its own for a test. */
  tenant(): Promise<string>;
}

let tenants = 0;

/** Runs a suite against each Postgres there is; the store is opened once for all its tests. */
export function describeStore(name: string, suite: (store: Store) => void): void {
  for (const postgres of postgresKinds) {
    describe(`${name} (${postgres.name})`, () => {
      let opened: Awaited<ReturnType<typeof openStore>> | undefined;
      const get = (): NonNullable<typeof opened> => {
        if (opened === undefined) throw new Error('the store is open in tests only');
        return opened;
      };
      beforeAll(async () => {
        opened = await openStore(postgres);
      });
      afterAll(async () => {
        await opened?.close();
      });
      suite({
        get db() {
          return get().db;
        },
        get url() {
          return get().url;
        },
        async tenant() {
          tenants += 1;
          const tenantId = `tenant-${tenants}`;
          await createTenant(get().db, { tenantId, name: `Tenant ${tenants}`, retentionDays: 4 });
          return tenantId;
        },
      });
    });
  }
}
