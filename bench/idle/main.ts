/** `npm run bench -- idle [--looks 20]`: what a tenant to whom nothing happens writes into Temporal. */
import { readOptions } from '../support/options.ts';
import { report } from '../support/report.ts';
import { measureIdleness } from './measure.ts';

const {
  options: { looks },
  isWhole,
} = readOptions({ looks: 20 });

await report('idle', (say) => measureIdleness({ lookMs: 2_000, looks }, say), { isWhole });
