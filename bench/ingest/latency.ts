import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { createSqsClients } from '../../src/queue/client.ts';
import { figure, median } from '../support/figures.ts';
import type { Finding } from '../support/report.ts';
import type { Child } from './children.ts';
import type { Ground } from './ground.ts';
import { type Contest, measure, type Servers } from './throughput.ts';

const LONE = 300;

/** Who answers in a round, at which rate: the endpoint at half of what it can take, and again at half of what the naive one can. */
const RUNNERS = ['bare', 'ours', 'naive', 'ours beside naive'] as const;
type Runner = (typeof RUNNERS)[number];

interface Round {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of the endpoint's process, and of the emulator's, for one event, in microseconds. */
  readonly cpuUs: number;
  readonly sqsUs: number;
}

/**
 * The 99th percentile of answer times, counted from when each request was due: at half the throughput of the endpoint, and of it and the naive one at
 * the same rate, which is half of what the naive one can take. In the same rounds: bare node:http, which keeps nothing.
 */
export async function atHalfLoad(contest: Contest, servers: Servers): Promise<readonly Finding[]> {
  const { ground, say, rounds } = contest;
  const tenants = ground.tenants.slice(0, 1);
  const half = async (server: Child): Promise<number> => (await measure(contest, server, tenants, true)).perSecond / 2;
  const [ours, naive] = [await half(servers.ours), await half(servers.naive)];
  const rates: Readonly<Record<Runner, number>> = { bare: ours, ours, naive, 'ours beside naive': naive };
  const found: Readonly<Record<Runner, Round[]>> = { bare: [], ours: [], naive: [], 'ours beside naive': [] };
  for (let round = 0; round < rounds; round += 1) {
    // Whoever comes second finds another machine: they take turns.
    for (const name of round % 2 === 0 ? RUNNERS : RUNNERS.toReversed()) {
      const server = name === 'ours beside naive' ? servers.ours : servers[name];
      found[name].push(await oneRound(contest, server, tenants, rates[name]));
    }
  }
  const all = (name: Runner, of: keyof Round): readonly number[] => found[name].map((round) => round[of]);
  const said = (name: Runner): string =>
    `${Math.round(rates[name])} a second: ${all(name, 'p99Ms')
      .map((ms) => ms.toFixed(1))
      .join(', ')} ms`;
  for (const name of RUNNERS) say(`p99, ${name}, ${said(name)}`);
  const ratios = all('ours beside naive', 'p99Ms').map((ms, round) => ms / (found.naive[round]?.p99Ms ?? Number.NaN));
  const cpu = (name: Runner): string =>
    `${median(all(name, 'cpuUs')).toFixed(0)} µs and the emulator ${median(all(name, 'sqsUs')).toFixed(0)} µs`;
  const roundOf = `${rounds} alternating rounds of ${contest.pacedMs / 1_000} s`;
  return [
    {
      figure: figure('ingest_p99_ms', median(all('ours', 'p99Ms')), 'ms', 'lower', 25),
      how: `the middle one of ${roundOf}, at ${said('ours')} (half of them within ${median(all('ours', 'p50Ms')).toFixed(1)} ms); in the same rounds bare node:http, which keeps nothing, at ${said('bare')}; naive at half of what it can take, ${said('naive')}`,
    },
    {
      figure: figure('ingest_p99_vs_naive', median(ratios), 'times', 'lower', 1),
      how: `the middle one of the ratios of the same rounds, both at half of what naive can take: ${said('ours beside naive')}; naive at ${said('naive')}. Processor time for an event: ours ${cpu('ours beside naive')}, naive ${cpu('naive')}`,
    },
  ];
}

async function oneRound(
  { ground, loader, pacedMs }: Contest,
  server: Child,
  tenants: Ground['tenants'],
  perSecond: number,
): Promise<Round> {
  const order = { connections: 50, durationMs: pacedMs, requests: Number.MAX_SAFE_INTEGER, tenants };
  const label = `h${process.hrtime.bigint()}`;
  const before = [await server.usage(), await ground.sqs.usage()] as const;
  const { p50Ms, p99Ms, statuses } = await loader.load({ ...order, port: server.port, perSecond, label });
  const after = [await server.usage(), await ground.sqs.usage()] as const;
  await ground.countAndEmpty();
  const answered = Object.values(statuses).reduce((sum, count) => sum + count, 0);
  const each = (n: 0 | 1): number => (after[n].cpuUs - before[n].cpuUs) / answered;
  return { p50Ms, p99Ms, cpuUs: each(0), sqsUs: each(1) };
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
