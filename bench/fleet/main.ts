/**
 * `npm run bench -- fleet [--tenants 1000] [--rate 30] [--seconds 300] [--warmup 70] [--postgres 1]`: a fleet of tenants with an event each now and
 * then: what an event costs in processor time, and how soon it is stored. `--postgres 1`: on Debian's Postgres instead of PGlite.
 */
import { readOptions } from '../support/options.ts';
import { report } from '../support/report.ts';
import { measureFleet } from './measure.ts';

const { options, isWhole } = readOptions({ tenants: 1_000, rate: 30, seconds: 300, warmup: 70, postgres: 0 });

await report('fleet', (say) => measureFleet(options, say), { isWhole, mostMinutes: 40 });
