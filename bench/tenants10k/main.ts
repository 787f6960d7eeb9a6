/**
 * `npm run bench -- tenants10k [--asleep 9000] [--tenants 1000] [--busy 100] [--backlog 200] [--events 600] [--rate 5]`: 10,000 tenants on one worker and
 * one API, most of them asleep, some with a backlog; every fifth event is for one that is asleep.
 */
import { figure } from '../support/figures.ts';
import { readOptions } from '../support/options.ts';
import { quantile, report } from '../support/report.ts';
import { crowdInWords, measureCrowd } from '../tenants/measure.ts';

const standard = { asleep: 9_000, tenants: 1_000, busy: 100, backlog: 200, events: 600, rate: 5 };
const { options, isWhole } = readOptions(standard);

await report(
  'tenants10k',
  async (say) => {
    const crowd = await measureCrowd(options, say);
    const { few, many, peak, api } = crowd.rss;
    return [
      {
        figure: figure('tenants10k_p99_ms', quantile([...crowd.awake, ...crowd.woken], 0.99), 'ms', 'lower', 3_000),
        how: crowdInWords(options, crowd),
      },
      {
        figure: figure('tenants10k_rss_mb', peak, 'MB', 'lower', 1_000),
        how: `of the worker, the highest of one look a second while the events came; ${few} MB with ${options.asleep} tenants asleep and ${options.busy} with nothing to do, ${many} MB with all; the API had ${api} MB`,
      },
    ];
  },
  { isWhole, mostMinutes: 60 },
);
