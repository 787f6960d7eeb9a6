import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { createSqsClients } from '../../../src/queue/client.ts';
import type { Child } from './children.ts';
import { type Figure, figure, median } from './figures.ts';
import { type Contest, measure } from './throughput.ts';

const HALF_MS = 5_000;
const LONE = 300;

/** The slowest answers at half of what the endpoint can take, each counted from the time at which it was due. */
export async function atHalfLoad(contest: Contest, ours: Child): Promise<Figure> {
  const { ground, loader, say } = contest;
  const tenants = ground.tenants.slice(0, 1);
  const { perSecond } = await measure(contest, ours, tenants, true);
  const half = { port: ours.port, connections: 50, durationMs: HALF_MS, requests: Number.MAX_SAFE_INTEGER, tenants };
  const rate = { ...half, perSecond: perSecond / 2 };
  const { p50Ms, p99Ms } = await loader.load({ ...rate, label: `h${Date.now()}` });
  await ground.countAndEmpty();
  // What the machine itself adds just now.
  const bare = await ground.start('bare');
  const floor = await loader.load({ ...rate, port: bare.port, label: 'bare' });
  bare.kill();
  say(
    `at ${Math.round(perSecond / 2)} a second: p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms; bare node:http: p50 ${floor.p50Ms.toFixed(1)} ms, p99 ${floor.p99Ms.toFixed(1)} ms`,
  );
  return figure('ingest_p99_ms', p99Ms, 'ms', 'lower', 25);
}

/** A delivery that comes alone, against one SendMessage on a kept connection. */
export async function lone(contest: Contest, ours: Child): Promise<Figure> {
  const { ground, loader, say } = contest;
  const tenants = ground.tenants.slice(0, 1);
  const order = { port: ours.port, connections: 1, durationMs: 60_000, requests: LONE, perSecond: 50, tenants };
  const { p50Ms } = await loader.load({ ...order, label: `l${Date.now()}` });
  const clients = createSqsClients({ endpoint: `http://127.0.0.1:${ground.sqs.port}`, region: 'us-east-1' });
  const times: number[] = [];
  for (let n = 0; n < LONE; n += 1) {
    const began = performance.now();
    await clients.control.send(new SendMessageCommand({ QueueUrl: tenants[0]?.queueUrl, MessageBody: '{"id":"e"}' }));
    times.push(performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  clients.close();
  await ground.countAndEmpty();
  say(`alone: ${p50Ms.toFixed(2)} ms; one SendMessage: ${median(times).toFixed(2)} ms`);
  return figure('lone_added_ms', p50Ms - median(times), 'ms', 'lower', 2);
}
