/**
 * `npm run bench -- ingest [--rounds 5] [--ms 2000] [--deliveries 100000]`: what an accepted and durable event costs the endpoint, beside bare node:http, bare Koa and the naive
 * endpoint, all against the same SQS emulator.
 */
import { readOptions } from '../support/options.ts';
import { report } from '../support/report.ts';
import { benchIngest } from './bench.ts';

const { options, isWhole } = readOptions({ rounds: 5, ms: 2_000, deliveries: 100_000 });

await report('ingest', (say) => benchIngest(options, say), { isWhole });
