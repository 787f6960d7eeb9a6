/**
 * `npm run bench -- ingest`: what an accepted and durable event costs the endpoint, beside bare node:http, bare Koa and the naive
 * endpoint, all against the same SQS emulator. The last lines are JSON, one a figure.
 */
import { benchIngest } from './bench.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);
for (const figure of await benchIngest(say)) say(JSON.stringify(figure));
