/** `npm run bench -- freshness`: how long an accepted event takes until it is stored, with 100 tenants of which most are parked. */
import { report } from '../support/report.ts';
import { measureFreshness } from './measure.ts';

await report('freshness', (say) => measureFreshness({ tenants: 100, perSecond: 10, seconds: 120 }, say));
