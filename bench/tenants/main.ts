/** `npm run bench -- tenants`: 1,000 tenants on one worker with 100 slots, 100 of them with a backlog: how the others fare, and what it costs. */
import { report } from '../support/report.ts';
import { measureTenants } from './measure.ts';

await report('tenants', (say) =>
  measureTenants({ tenants: 1_000, busy: 100, backlog: 200, events: 200, perSecond: 2 }, say),
);
