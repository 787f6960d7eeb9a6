import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { createSqsClients } from '../../src/queue/client.ts';
import { figure, median } from '../support/figures.ts';
import type { Finding } from '../support/report.ts';
import type { Child } from './children.ts';
import { type Contest, measure, type Servers } from './throughput.ts';

const HALF_MS = 3_000;
const HALF_ROUNDS = 5;
const LONE = 300;

/**
 * The 99th percentile of answer times at half the throughput of the endpoint, counted from when each request was due. In the same rounds: bare
 * node:http at the same rate, and the naive endpoint at half its own throughput.
 */
export async function atHalfLoad(contest: Contest, servers: Servers): Promise<Finding> {
  const { ground, loader, say } = contest;
  const tenants = ground.tenants.slice(0, 1);
  const half = async (server: Child): Promise<number> => (await measure(contest, server, tenants, true)).perSecond / 2;
  const rates = { bare: 0, ours: await half(servers.ours), naive: await half(servers.naive) };
  rates.bare = rates.ours;
  const p99s = { bare: [] as number[], ours: [] as number[], naive: [] as number[] };
  const p50s: number[] = [];
  for (let round = 0; round < HALF_ROUNDS; round += 1) {
    for (const name of ['bare', 'ours', 'naive'] as const) {
      const order = { connections: 50, durationMs: HALF_MS, requests: Number.MAX_SAFE_INTEGER, tenants };
      const label = `h${process.hrtime.bigint()}`;
      const { p50Ms, p99Ms } = await loader.load({ ...order, port: servers[name].port, perSecond: rates[name], label });
      await ground.countAndEmpty();
      p99s[name].push(p99Ms);
      if (name === 'ours') p50s.push(p50Ms);
    }
  }
  const said = (name: keyof typeof p99s): string =>
    `${Math.round(rates[name])} a second: ${p99s[name].map((ms) => ms.toFixed(1)).join(', ')} ms`;
  for (const name of ['bare', 'ours', 'naive'] as const) say(`p99 at half load, ${name}, ${said(name)}`);
  return {
    figure: figure('ingest_p99_ms', median(p99s.ours), 'ms', 'lower', 25),
    how: `the middle one of ${HALF_ROUNDS} alternating rounds of ${HALF_MS / 1_000} s, at ${said('ours')} (half of them within ${median(p50s).toFixed(1)} ms); in the same rounds bare node:http, which keeps nothing, at ${said('bare')}; naive at half of what it can take, ${said('naive')}`,
  };
}

/** The answer time of single deliveries, compared with one SendMessage on a kept connection. */
export async function lone(contest: Contest, ours: Child): Promise<Finding> {
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
  return {
    figure: figure('lone_added_ms', p50Ms - median(times), 'ms', 'lower', 2),
    how: `${LONE} deliveries one at a time, 50 a second: half were answered within ${p50Ms.toFixed(2)} ms; as many SendMessage through the SDK on a kept connection, within ${median(times).toFixed(2)} ms`,
  };
}
