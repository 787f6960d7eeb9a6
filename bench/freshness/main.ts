/**
 * `npm run bench -- freshness [--tenants 100] [--rate 10] [--seconds 120]`: how long an accepted event takes until it is stored, with tenants that have
 * one in ten seconds.
 */
import { readOptions } from '../support/options.ts';
import { report } from '../support/report.ts';
import { measureFreshness } from './measure.ts';

const { options, isWhole } = readOptions({ tenants: 100, rate: 10, seconds: 120 });
const { tenants, rate, seconds } = options;

await report('freshness', (say) => measureFreshness({ tenants, perSecond: rate, seconds }, say), { isWhole });
