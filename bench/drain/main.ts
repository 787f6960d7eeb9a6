/** `npm run bench -- drain [--events 20000]`: what a backlog of events costs in calls, how it uses the quota, and how fast it can go. */
import { readOptions } from '../support/options.ts';
import { report } from '../support/report.ts';
import { measureFrugality } from './frugal.ts';
import { measureSpeed } from './lifted.ts';

const {
  options: { events },
  isWhole,
} = readOptions({ events: 20_000 });

await report('drain', async (say) => [...(await measureFrugality(events, say)), ...(await measureSpeed(events, say))], {
  isWhole,
});
