/** `npm run bench -- idle`: what a tenant to whom nothing happens writes into Temporal. */
import { report } from '../support/report.ts';
import { measureIdleness } from './measure.ts';

await report('idle', (say) => measureIdleness({ lookMs: 2_000, looks: 20 }, say));
