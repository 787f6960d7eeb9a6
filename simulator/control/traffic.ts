import { json } from '../rest/answer.ts';
import type { Calls } from '../rest/calls.ts';
import { type Faults, faultRequestSchema } from '../rest/faults.ts';
import { type ControlRoute, missing, read } from './control.ts';

/** Faults of the API, and how it was used. */
export function trafficRoutes(faults: Faults, calls: Calls): ControlRoute[] {
  return [
    { method: 'GET', path: '/simulator/faults', handle: () => json(200, { faults: faults.list() }) },
    {
      method: 'POST',
      path: '/simulator/faults',
      handle: ({ body }) => json(201, faults.add(read(faultRequestSchema, body))),
    },
    {
      method: 'DELETE',
      path: '/simulator/faults',
      handle: () => {
        faults.clear();
        return json(200, { faults: [] });
      },
    },
    {
      method: 'DELETE',
      path: '/simulator/faults/:id',
      handle: ({ params: { id = '' } }) => {
        if (!faults.remove(id)) throw missing('fault', id);
        return json(200, { removed: id });
      },
    },
    { method: 'GET', path: '/simulator/calls', handle: () => json(200, calls.report()) },
    {
      method: 'POST',
      path: '/simulator/calls/mark',
      handle: () => {
        const before = calls.report();
        calls.mark();
        return json(200, before);
      },
    },
  ];
}
