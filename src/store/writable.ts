import type { Db } from './db.ts';
import { StoreError } from './errors.ts';

/**
 * Resolves when Postgres answers and takes writes. Throws StoreError: 25006 when this connection may only read, as after a fail-over; it is not used
 * again then.
 */
export async function assertWritable(db: Db): Promise<void> {
  await db.transaction(async (tx) => {
    const { rows } = await tx.query<{ readOnly: string }>(
      `SELECT current_setting('transaction_read_only') AS "readOnly"`,
    );
    if (rows[0]?.readOnly !== 'off') throw new StoreError({ code: '25006', transient: true });
  });
}
