import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { createRandom } from '../../simulator/random.ts';
import { figure } from '../support/figures.ts';
import { type Finding, quantile, type Say } from '../support/report.ts';
import { World } from '../support/world.ts';
import { WatchedSqs } from './watched-sqs.ts';

export interface PauseOptions {
  readonly pauses: number;
  /** Events a second, all the time. */
  readonly perSecond: number;
}

/** A receive that comes later than this after `paused` is one that should not be. */
const WATCH_MS = 2_000;

/** Pauses and resumes at random moments while events come, and looks when the tenant's queue was read last. */
export async function measurePauses({ pauses, perSecond }: PauseOptions, say: Say): Promise<readonly Finding[]> {
  const sqs = await WatchedSqs.start();
  const world = await World.start({
    SQS_ENDPOINT: sqs.endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'embedded',
    AWS_SECRET_ACCESS_KEY: 'embedded',
  });
  try {
    const pipeline = world.pipeline();
    const random = createRandom('pauses');
    // 200,000 are more than this takes; the world is ended with it.
    const order = { count: 200_000, ratePerSecond: perSecond, onlySubscribed: true, wait: false };
    await pipeline.control('POST', '/simulator/emit', order, z.unknown());
    await sleep(5_000);
    if (sqs.receives.length === 0) throw new Error('no receive came by the door: the figure would say nothing');
    const lastReceives: number[] = [];
    const tillPaused: number[] = [];
    for (let n = 0; n < pauses; n += 1) {
      await sleep(random.int(200, 3_000));
      await pipeline.ask('POST', '/v1/tenants/demo/pause', { reason: 'benchmark' });
      const accepted = performance.now();
      await pipeline.when('paused', ({ extraction }) => extraction?.state === 'paused');
      tillPaused.push(performance.now() - accepted);
      await sleep(WATCH_MS);
      lastReceives.push(Math.max(0, ...sqs.receives.map(({ at }) => at - accepted)));
      sqs.receives.length = 0;
      await pipeline.ask('POST', '/v1/tenants/demo/resume', {});
      await pipeline.when('resumed', ({ extraction }) => extraction?.state !== 'paused');
    }
    const p99 = quantile(lastReceives, 0.99);
    say(`last receive: ${[0.5, 0.9, 0.99].map((part) => Math.round(quantile(lastReceives, part))).join(', ')} ms`);
    say(`shown as paused: ${[0.5, 0.9, 0.99].map((part) => Math.round(quantile(tillPaused, part))).join(', ')} ms`);
    return [
      {
        figure: figure('pause_p99_ms', p99, 'ms', 'lower', 1_000),
        how: `${pauses} pauses over HTTP at random moments, with ${perSecond} events a second: from the API's 202 to the last ReceiveMessage that the emulator got (0: none came after it); half within ${Math.round(quantile(lastReceives, 0.5))} ms. The status said paused after ${Math.round(quantile(tillPaused, 0.5))} ms (half) and ${Math.round(quantile(tillPaused, 0.99))} ms (p99), looked at every 100 ms`,
      },
    ];
  } finally {
    await world.end();
    await sqs.end();
  }
}
