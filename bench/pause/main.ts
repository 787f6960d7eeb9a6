/**
 * `npm run bench -- pause [--pauses 40] [--rate 20]`: how soon after a pause is accepted the last receive is sent; and without the server commands, with
 * which Temporal tells a worker of a stop by itself.
 */
import { readOptions } from '../support/options.ts';
import { report } from '../support/report.ts';
import { measurePauses } from './measure.ts';

const { options, isWhole } = readOptions({ pauses: 40, rate: 20 });
const order = { pauses: options.pauses, perSecond: options.rate };
const without = { name: 'pause_fallback_p99_ms', limitMs: 1_000, env: { TEMPORAL_WORKER_COMMANDS: 'false' } };

await report(
  'pause',
  async (say) => [
    await measurePauses({ ...order, name: 'pause_p99_ms', limitMs: 150, env: {} }, say),
    await measurePauses({ ...order, ...without }, say),
  ],
  { isWhole },
);
