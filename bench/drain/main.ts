/** `npm run bench -- drain [EVENTS]`: what a backlog of 20,000 events costs in calls, how it uses the quota, and how fast it can go. */
import { report } from '../support/report.ts';
import { measureFrugality } from './frugal.ts';
import { measureSpeed } from './lifted.ts';

const events = Number(process.argv[3] ?? 20_000);

await report('drain', async (say) => [...(await measureFrugality(events, say)), ...(await measureSpeed(events, say))]);
