import type { Customers } from '../store/customers.ts';
import { type Answer, errors, json } from './answer.ts';
import { notFoundAsObject } from './directory.ts';
import type { Route } from './router.ts';

const SEARCHES = { email: 'email', phoneNumber: 'phone', externalCustomerId: 'external_id' } as const;

export function customerRoutes(customers: Customers): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/customer-profiles/:id',
      handle: ({ params: { id = '' } }) => {
        const found = customers.get(id);
        if (found === undefined) return notFoundAsObject('customer profile', id);
        return found.mergedInto === null ? json(200, found.customer) : moved(id, found.mergedInto);
      },
    },
    { method: 'GET', path: '/api/v1/customer-profiles', handle: ({ query }) => search(customers, query) },
  ];
}

/** A merged customer is a 301 whose body names the new id; there is no Location (gladly.md 2.2). */
function moved(from: string, to: string): Answer {
  const detail = 'customer id has changed';
  return errors(301, { attr: 'customerId', code: 'moved', detail, meta: { old: from, new: to } });
}

/** Exactly one of the three search fields, or 400. */
function search(customers: Customers, query: URLSearchParams): Answer {
  const given = Object.entries(SEARCHES).filter(([name]) => query.has(name));
  const [first] = given;
  if (first === undefined || given.length > 1) {
    const detail = 'exactly one of email, phoneNumber, externalCustomerId must be specified';
    return errors(400, { code: first === undefined ? 'blank' : 'invalid', detail });
  }
  const [name, column] = first;
  const value = query.get(name) ?? '';
  if (value === '') return errors(400, { attr: name, code: 'blank', detail: `${name} cannot be blank` });
  return json(200, customers.find(column, name === 'email' ? value.toLowerCase() : value));
}
