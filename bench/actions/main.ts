/**
 * `npm run bench -- actions [--tenants 20] [--seconds 180] [--sweeps 10]`: billable actions of Temporal's, a tenant and day, of a tenant to whom nothing
 * happens, of one with an event in 3 s, and of one that is paused while events wait.
 */
import { readOptions } from '../support/options.ts';
import { report } from '../support/report.ts';
import { measureIdle, measurePaused, measureTrickle } from './measure.ts';

const { options, isWhole } = readOptions({ tenants: 20, seconds: 180, sweeps: 10 });

await report(
  'actions',
  async (say) => [
    await measureIdle(options, say),
    await measureTrickle(options, say),
    await measurePaused(options, say),
  ],
  { isWhole, mostMinutes: 120 },
);
