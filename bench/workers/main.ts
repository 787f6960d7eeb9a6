/**
 * `npm run bench -- workers [--tenants 60] [--rate 10] [--seconds 60]`: three workers on one Postgres (Debian's) and one Temporal: how the tenants spread
 * over those that came later, what a rolling restart costs, and how long the tenants of a worker that is killed stand still.
 */
import { readOptions } from '../support/options.ts';
import { report } from '../support/report.ts';
import { measureWorkers } from './measure.ts';

const { options, isWhole } = readOptions({ tenants: 60, rate: 10, seconds: 60 });

await report('workers', (say) => measureWorkers(options, say), { isWhole, mostMinutes: 30 });
