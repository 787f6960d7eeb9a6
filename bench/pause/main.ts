/** `npm run bench -- pause`: how soon after a pause is accepted the last receive is made. */
import { report } from '../support/report.ts';
import { measurePauses } from './measure.ts';

await report('pause', (say) => measurePauses({ pauses: 40, perSecond: 20 }, say));
