/**
 * `npm run bench -- tenants [--tenants 1000] [--busy 100] [--backlog 200] [--events 200] [--rate 2]`: many tenants on one worker, some of them with a
 * backlog: how the others fare, and what it costs.
 */
import { figure } from '../support/figures.ts';
import { readOptions } from '../support/options.ts';
import { quantile, report } from '../support/report.ts';
import { crowdInWords, measureCrowd } from './measure.ts';

const { options, isWhole } = readOptions({ tenants: 1_000, busy: 100, backlog: 200, events: 200, rate: 2 });

await report(
  'tenants',
  async (say) => {
    const crowd = await measureCrowd({ ...options, asleep: 0 }, say);
    const { few, many, peak } = crowd.rss;
    const slope = (1_000 * (many - few)) / (options.tenants - options.busy);
    return [
      {
        figure: figure('tenants_p99_ms', quantile(crowd.awake, 0.99), 'ms', 'lower', 2_000),
        how: crowdInWords(options, crowd),
      },
      {
        figure: figure('worker_rss_mb', peak, 'MB', 'lower', 700),
        how: `the highest of one look a second while the backlogs were drained; ${few} MB with ${options.busy} tenants that have nothing to do, ${many} MB with ${options.tenants}: ${slope.toFixed(0)} KB a tenant`,
      },
    ];
  },
  { isWhole },
);
