/**
 * `npm run bench -- ingest`: what an accepted and durable event costs the endpoint, beside bare node:http, bare Koa and the naive
 * endpoint, all against the same SQS emulator.
 */
import { report } from '../support/report.ts';
import { benchIngest } from './bench.ts';

await report('ingest', benchIngest);
