import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { createRandom } from '../../simulator/random.ts';
import { figure } from '../support/figures.ts';
import { inWords } from '../support/processor-time.ts';
import { type Finding, quantile, type Say } from '../support/report.ts';
import { World } from '../support/world.ts';
import { WatchedSqs } from './watched-sqs.ts';

export interface PauseOptions {
  readonly pauses: number;
  /** Events a second, all the time. */
  readonly perSecond: number;
  /** Of the figure. */
  readonly name: string;
  readonly limitMs: number;
  /** What is unlike `npm start`. */
  readonly env: Readonly<Record<string, string>>;
}

/** A receive that comes later than this after `paused` is one that should not be. */
const WATCH_MS = 2_000;

/** Pauses and resumes at random moments while events come, and looks when the tenant's queue was read last. */
export async function measurePauses(options: PauseOptions, say: Say): Promise<Finding> {
  const { pauses, perSecond, name, limitMs, env } = options;
  const sqs = await WatchedSqs.start();
  let world: World | undefined;
  try {
    world = await World.start({
      ...env,
      SQS_ENDPOINT: sqs.endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'embedded',
      AWS_SECRET_ACCESS_KEY: 'embedded',
    });
    const pipeline = world.pipeline();
    const random = createRandom('pauses');
    // 200,000 are more than this takes; the world is ended with it.
    const order = { count: 200_000, ratePerSecond: perSecond, onlySubscribed: true, wait: false };
    await pipeline.control('POST', '/simulator/emit', order, z.unknown());
    await sleep(5_000);
    if (sqs.receives.length === 0) throw new Error('no receive came by the door: the figure would say nothing');
    const time = world.processorTime(() => new Map(sqs.pid ? [['sqs', { pid: sqs.pid }] as const] : []));
    const lastReceives: number[] = [];
    const openUntil: number[] = [];
    const tillPaused: number[] = [];
    for (let n = 0; n < pauses; n += 1) {
      await sleep(random.int(200, 3_000));
      await pipeline.ask('POST', '/v1/tenants/demo/pause', { reason: 'benchmark' });
      const accepted = performance.now();
      await pipeline.when('paused', ({ extraction }) => extraction?.state === 'paused');
      tillPaused.push(performance.now() - accepted);
      await sleep(WATCH_MS);
      const looked = performance.now();
      lastReceives.push(Math.max(0, ...sqs.receives.map(({ at }) => at - accepted)));
      openUntil.push(Math.max(0, ...sqs.receives.map(({ until = looked }) => until - accepted)));
      sqs.receives.splice(0, sqs.receives.length, ...sqs.receives.filter(({ until }) => until === undefined));
      await pipeline.ask('POST', '/v1/tenants/demo/resume', {});
      await pipeline.when('resumed', ({ extraction }) => extraction?.state !== 'paused');
    }
    const words = inWords(time.stop());
    const p99 = quantile(lastReceives, 0.99);
    const spread = (ms: readonly number[]): string =>
      [0.5, 0.9, 0.99].map((part) => Math.round(quantile(ms, part))).join(', ');
    say(
      `${name}: last receive ${spread(lastReceives)} ms; open until ${spread(openUntil)} ms; shown as paused ${spread(tillPaused)} ms`,
    );
    const changed = Object.entries(env).map(([variable, value]) => `${variable}=${value}`);
    return {
      figure: figure(name, p99, 'ms', 'lower', limitMs),
      how: `${pauses} pauses over HTTP at random moments, with ${perSecond} events a second${changed.length > 0 ? ` and ${changed.join(' ')}` : ''}: from the API's 202 to the last ReceiveMessage that was sent (0: none was sent after it); half within ${Math.round(quantile(lastReceives, 0.5))} ms. One that was open was answered or given up after ${spread(openUntil)} ms (p50, p90, p99), looked at for ${WATCH_MS / 1_000} s. The status said paused after ${Math.round(quantile(tillPaused, 0.5))} ms (half) and ${Math.round(quantile(tillPaused, 0.99))} ms (p99), looked at every 100 ms. Processor time meanwhile: ${words}`,
    };
  } finally {
    await world?.end();
    await sqs.end();
  }
}
