import type { DatabaseSync } from 'node:sqlite';
import { type Customer, customerSchema } from '../model.ts';
import { integer, type Row, text } from './database.ts';

type StoredCustomer = { customer: Customer; mergedInto: string | null };

export type Customers = {
  add(customer: Customer, updatedMs: number): void;
  get(id: string): StoredCustomer | undefined;
  /** The customer of a number from 1 to count(). */
  byNumber(number: number): StoredCustomer | undefined;
  count(): number;
  /** At most 50, the most recently updated first (GET /customer-profiles). Merged ones are not found. */
  find(by: 'email' | 'phone' | 'external_id', value: string): Customer[];
  merge(sourceId: string, destinationId: string): void;
};

export function createCustomers(database: DatabaseSync): Customers {
  const insert = database.prepare(
    'INSERT INTO customers (id, email, phone, external_id, updated_ms, body) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const byId = database.prepare('SELECT * FROM customers WHERE id = ?');
  const byNumber = database.prepare('SELECT * FROM customers WHERE number = ?');
  const count = database.prepare('SELECT count(*) AS n FROM customers');
  const setMerged = database.prepare('UPDATE customers SET merged_into = ? WHERE id = ? OR merged_into = ?');
  const where = (column: string) =>
    database.prepare(
      `SELECT * FROM customers WHERE ${column} = ? AND merged_into IS NULL ORDER BY updated_ms DESC, number LIMIT 50`,
    );
  const finders = { email: where('email'), phone: where('phone'), external_id: where('external_id') };

  return {
    add: (customer, updatedMs) => {
      const email = customer.emails[0]?.normalized ?? null;
      const phone = customer.phones[0]?.normalized ?? null;
      const externalId = customer.externalCustomerId ?? null;
      insert.run(customer.id, email, phone, externalId, updatedMs, JSON.stringify(customer));
    },
    get: (id) => toCustomer(byId.get(id)),
    byNumber: (number) => toCustomer(byNumber.get(number)),
    count: () => integer(count.get() ?? {}, 'n'),
    find: (by, value) => finders[by].all(value).flatMap((row) => toCustomer(row)?.customer ?? []),
    merge: (sourceId, destinationId) => void setMerged.run(destinationId, sourceId, sourceId),
  };
}

function toCustomer(row: Row | undefined): StoredCustomer | undefined {
  if (row === undefined) return undefined;
  const mergedInto = row['merged_into'] === null ? null : text(row, 'merged_into');
  return { customer: customerSchema.parse(JSON.parse(text(row, 'body'))), mergedInto };
}
