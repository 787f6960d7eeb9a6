import { z } from 'zod';
import { encodeDelivery } from '../../src/queue/envelope.ts';
import { callsOf, markCalls } from '../support/calls.ts';
import { figure } from '../support/figures.ts';
import { inWords } from '../support/processor-time.ts';
import type { Finding, Say } from '../support/report.ts';
import { World } from '../support/world.ts';
import { lastDone, makeBacklog, resume, untilDrained } from './backlog.ts';
import { bareRate } from './bare.ts';

const DRAIN_MS = 600_000;
const events = z.object({ events: z.array(z.unknown()) });

/** How fast a backlog is drained when Gladly sets no limit, beside bare loops on the same emulator. */
export async function measureSpeed(count: number, say: Say): Promise<readonly Finding[]> {
  const world = await World.start({ QUOTA_UNLIMITED: 'true' });
  try {
    const pipeline = world.pipeline();
    await pipeline.control('PATCH', '/simulator/settings', { quotaPerSecond: null }, z.unknown());
    await makeBacklog(pipeline, count);
    const sample = await pipeline.control('GET', '/simulator/events?limit=1', undefined, events);
    const body = Buffer.from(JSON.stringify(sample.events[0]));
    const encoded = encodeDelivery({ acceptedAt: Date.now(), keyId: 'k'.repeat(22), body }, { isJson: true });
    if (encoded.kind !== 'message') throw new Error('an event does not fit a message');
    // Before and after, since what else the machine does changes.
    const before = await bareRate(world.sqsEndpoint, count, encoded.text);
    await markCalls(pipeline);
    const start = Date.now();
    const time = world.processorTime();
    await resume(pipeline);
    await untilDrained(pipeline, DRAIN_MS);
    const words = inWords(time.stop(), count);
    const { at, done } = await lastDone(world, pipeline.tenantId);
    const { calls } = callsOf(await markCalls(pipeline), () => true);
    const after = await bareRate(world.sqsEndpoint, count, encoded.text);
    const [bare, rate] = [(before + after) / 2, (done / (at - start)) * 1_000];
    say(`bare ${before.toFixed(0)} and ${after.toFixed(0)} messages/s, ours ${rate.toFixed(0)} events/s`);
    return [
      {
        figure: figure('events_per_s_ratio', rate / bare, 'of bare', 'higher', 0.65),
        how: `${rate.toFixed(0)} events a second from the resume to the last one stored, with ${calls} readings of the simulated Gladly, beside ${before.toFixed(0)} and ${after.toFixed(0)} messages a second of 16 bare loops on the same emulator, before and after; all share the machine's cores. Processor time meanwhile: ${words}`,
      },
    ];
  } finally {
    await world.end();
  }
}
